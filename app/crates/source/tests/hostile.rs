//! Files that were made to be read slowly, in much memory or by deep recursion, in every language.

use source::{Source, Unread, Work};

/// Bytes of each file.
const SIZE: usize = 30_000;

/// Most memory, in MB, that the process may have taken for all files of this test.
const MEMORY: u64 = 350;

/// `open` and `close` around `middle`, as often as fits.
fn nested(before: &str, open: &str, middle: &str, close: &str, size: usize) -> String {
    let times = size / (open.len() + close.len());
    format!("{before}{}{middle}{}", open.repeat(times), close.repeat(times))
}

fn indented(head: &str, size: usize) -> String {
    let mut text = String::new();
    for depth in 0.. {
        if text.len() > size {
            break;
        }
        text.push_str(&format!("{}{head}\n", " ".repeat(depth)));
    }
    text
}

/// Path, what comes first, what is opened, what stands within, and what closes it.
const KINDS: &[(&str, &str, &str, &str, &str)] = &[
    ("a.py", "f(", "(", "1", ")"),
    ("a.py", "x = ", "(", "1", ""),
    ("a.py", "", "f(", "1", ")"),
    ("a.py", "x = ", "[", "1", "]"),
    ("a.py", "x = ", "{1:", "1", "}"),
    ("a.py", "x = ", "lambda:", "1", ""),
    ("a.py", "x = ", "lambda a=", "1", ":1"),
    ("a.py", "f(x", ".a", ")", ""),
    ("a.py", "x", "()", "", ""),
    ("a.py", "x = 1", "+1", "", ""),
    ("a.py", "x = ", "-", "1", ""),
    ("a.py", "x = ", "f'{", "1", "}'"),
    ("a.py", "", "def f(): 0\n", "", ""),
    ("a.py", "", "a\n", "", ""),
    ("a.py", "", "#\n", "", ""),
    ("a.py", "", "'", "", ""),
    ("a.py", "", "\u{1}\u{2})(", "", ""),
    ("a.py", "if a:\n b\n", "elif a:\n b\n", "", ""),
    ("a.js", "", "a=>", "1", ""),
    ("a.js", "", "(a=>", "1", ")"),
    ("a.js", "", "()=>{", "1", "}"),
    ("a.js", "", "()=>0,", "", ""),
    ("a.js", "", "function f(){", "", "}"),
    ("a.js", "", "class A{m(){", "", "}}"),
    ("a.js", "", "(function(){", "", "})()"),
    ("a.js", "", "(a=(", "", ""),
    ("a.js", "", "{", "", ""),
    ("a.js", "", "`${", "1", "}`"),
    ("a.js", "x=", "{a:", "1", "}"),
    ("a.js", "", "[", "a", "]=x"),
    ("a.js", "x=", "a?b:", "c", ""),
    ("a.js", "x", "[0]", "", ""),
    ("a.js", "", "<a>", "", "</a>"),
    ("a.js", "", "/*", "", ""),
    ("a.js", "", "if(a)b;else ", ";", ""),
    ("a.ts", "let x:", "A<", "B", ">"),
    ("a.ts", "let x:", "A<", "", ""),
    ("a.ts", "x=", "<a>", "1", ""),
    ("a.ts", "let x:", "a extends b?c:", "d", ""),
    ("a.tsx", "", "<a>", "", "</a>"),
    ("a.rb", "", "f do\n", "", "end\n"),
    ("a.rb", "", "class A\n", "", "end\n"),
    ("a.rb", "", "\"#{", "1", "}\""),
    ("a.rb", "", "\"#{", "", ""),
    ("a.rb", "", "->{", "1", "}"),
    ("a.rb", "", "%w(", "", ""),
    ("a.rb", "", "%(", "", ""),
    ("a.rb", "f(", "<<A,", ")", ""),
    ("a.go", "package a\nvar x=", "func(){", "", "}"),
    ("a.go", "package a\nvar x ", "[]", "int", ""),
    ("a.go", "package a\n", "func f(){}\n", "", ""),
    ("a.java", "", "class A{", "", "}"),
    ("a.java", "class A{X x=", "a->", "1;}", ""),
    ("a.java", "class A{", "A<", "B", ">"),
    ("a.java", "", "@A(", "", ""),
    ("a.rs", "", "mod a{", "", "}"),
    ("a.rs", "", "fn a(){", "", "}"),
    ("a.rs", "fn a(){ ", "||", "1 }", ""),
    ("a.rs", "", "/*", "", "*/"),
    ("a.rs", "fn a(){r", "#", "", ""),
    ("a.rs", "m!", "(", "", ")"),
    ("a.rs", "type A=", "&", "a;", ""),
];

/// Reads all that is read of a file, and says what it took.
fn read(path: &str, text: &str) -> (Result<usize, Unread>, u64) {
    let work = Work::default();
    let found = (|| {
        let source = Source::parse(path, text, &work)?;
        for line in [1, 2, 50] {
            let facts = source.line(line)?;
            assert!(facts.uses.len() <= 200, "{path}: {}", facts.uses.len());
        }
        for block in source.blocks().iter().take(3) {
            source.field_set(block, "a")?;
        }
        let names = source.blocks().iter().map(|block| block.qualified.len());
        assert!(names.clone().max().unwrap_or(0) <= 500, "{path}: {:?}", names.max());
        Ok(source.blocks().len())
    })();
    (found, source::MOST_WORK - work.left())
}

#[test]
fn no_nesting_recurses_or_takes_more_than_its_share() {
    for (path, before, open, middle, close) in KINDS {
        let (_, work) = read(path, &nested(before, open, middle, close, SIZE));
        assert!(work <= 60 * SIZE as u64, "{path} {open}{close}: {work} steps");
    }
    for head in ["def f():", "class A:", "if x:", "with x:"] {
        let (_, work) = read("a.py", &indented(head, SIZE));
        assert!(work <= 60 * SIZE as u64, "{head}: {work} steps");
    }
    assert!(peak_memory() <= MEMORY, "{} MB", peak_memory());
}

#[test]
fn the_largest_files_stay_within_the_memory() {
    let size = (1 << 20) - 20;
    for (path, open, close) in [
        ("a.js", "a=>", ""),
        ("a.js", "(a=(", ""),
        ("a.js", "x?y:", ""),
        ("a.py", "()", ""),
        ("a.py", "#\n", ""),
        ("a.go", "[]", ""),
        ("a.rb", "%w(", ""),
        ("a.py", "\n", ""),
    ] {
        let (_, work) = read(path, &nested("", open, "1", close, size));
        assert!(work <= 4_000_000, "{path} {open}{close}: {work} steps");
    }
    assert!(peak_memory() <= MEMORY, "{} MB", peak_memory());
}

#[test]
fn what_is_too_much_is_said_to_be() {
    let read = |path: &str, text: &str| read(path, text).0;
    assert_eq!(read("a.py", &"a = 1\n".repeat(200_000)), Err(Unread::TooMuch), "larger than a megabyte");
    assert_eq!(read("a.js", &nested("", "f(()=>{", "", "})", SIZE)), Err(Unread::TooMuch), "nested too deeply");
    assert_eq!(read("a.js", &"()=>0,".repeat(60_000)), Err(Unread::TooMuch), "more functions than in any file");
    assert_eq!(read("a.rb", &"%(".repeat(30_000)), Err(Unread::TooMuch), "read again from each quote to the end");
    let many = "def f(a):\n    return a.b\n".repeat(20_000);
    assert_eq!(read("a.py", &many), Ok(20_000), "long, but plain");
}

#[test]
fn many_lines_of_a_file_share_the_work() {
    let text = format!("{}\n", "x = [y for y in z]\n".repeat(20_000));
    let work = Work::of(3_000_000);
    let source = Source::parse("a.py", &text, &work).expect("is read");
    let read = (1..6_000).take_while(|line| source.line(*line).is_ok()).count();
    assert!((1..5_999).contains(&read), "{read} lines were read");
    assert_eq!(source.line(1).err(), Some(Unread::TooMuch));
}

#[test]
fn what_a_file_may_hold_is_bounded_in_every_way() {
    let work = Work::default();
    let comment = |bytes: usize| format!("#{}", "a".repeat(bytes - 1));
    assert_eq!(read("a.py", &comment((1 << 20) + 1)).0, Err(Unread::TooMuch), "a byte more than a megabyte");
    assert_eq!(read("a.py", &comment(1 << 20)).0, Ok(0));
    assert_eq!(read("a.js", &"()=>0;".repeat(50_001)).0, Err(Unread::TooMuch), "a function more than in any file");
    let long = |bytes: usize| "n".repeat(bytes);
    let names = |path: &str, text: &str| {
        let source = Source::parse(path, text, &work).expect("it is small");
        source.blocks()[0].qualified.clone()
    };
    assert_eq!(names("a.py", &format!("def {}():\n    pass\n", long(200))), long(200));
    assert_eq!(names("a.py", &format!("def {}():\n    pass\n", long(201))), "<lambda>");
    assert_eq!(names("a.go", &format!("package a\nfunc (c *{}) f() {{}}\n", long(200))), format!("{}.f", long(200)));
    assert_eq!(names("a.go", &format!("package a\nfunc (c *{}) f() {{}}\n", long(201))), "f");
    let parameters = |list: &str| {
        let text = format!("def f({list}):\n    pass\n");
        Source::parse("a.py", &text, &work).expect("it is small").blocks()[0].parameters.clone()
    };
    assert_eq!(parameters(&format!("{}, b", long(201))), ["b"], "a name that a program made up");
    let many: Vec<String> = (0..150).map(|n| format!("a{n}")).collect();
    assert_eq!(parameters(&many.join(", ")), many[..100]);
    let line = |text: &str| Source::parse("a.py", text, &work).expect("it is small").line(1).expect("little work");
    let named = |bytes: usize| line(&format!("f({})\n", long(bytes))).uses.into_iter().filter_map(|it| it.name).count();
    assert_eq!((named(1_000), named(1_001)), (2, 1), "the function's, and the argument's where it is a name");
    let forwards = |arguments: usize| line(&format!("f({}*rest)\n", "0, ".repeat(arguments))).forwards;
    assert!(forwards(199) && !forwards(200), "so many arguments are a table of data");
}

#[test]
fn all_that_is_looked_at_is_counted() {
    // What the second question for a line takes: the variables around it are known by then.
    let takes = |path: &str, text: &str, line: u32| {
        let work = Work::default();
        let source = Source::parse(path, text, &work).expect("it is read");
        source.line(line).expect("little work");
        let before = work.left();
        source.line(line).expect("little work");
        before - work.left()
    };
    let within = |what: &str, steps: u64, bounds: std::ops::Range<u64>| {
        assert!(bounds.contains(&steps), "{what}: {steps} steps");
    };
    let work = Work::default();
    Source::parse("a.py", &format!("#{}", "a".repeat(1_000_000)), &work).expect("it is read");
    within("a million bytes of a comment", source::MOST_WORK - work.left(), 7_000..20_000);
    within("statements beside it", takes("a.py", &"a\n".repeat(50_000), 1), 50_000..60_000);
    within("functions beside it", takes("a.py", &"def f(): a\n".repeat(20_000), 1), 20_900..30_000);
    let list = format!("x = [{}]\n", "a, ".repeat(30_000));
    within("its parts, to find it and to look at it", takes("a.py", &list, 1), 60_000..70_000);
    let lists = format!("x = [{}]\n", "[a,a],".repeat(20_000));
    within("no more than some of its parts", takes("a.py", &lists, 1), 80_000..100_000);
    let chain = format!("{}x{}\n", "(".repeat(900), ")".repeat(900));
    within("what the whole of it is", takes("a.py", &chain, 1), 2_700..3_600);
}

/// The most memory that this process ever had, in MB; nothing where the system does not say.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.and_then(|peak| peak.trim().parse::<u64>().ok()).unwrap_or(0) / 1024
}
