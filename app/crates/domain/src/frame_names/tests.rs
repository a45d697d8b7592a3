//! Names as runtimes, bundlers and build tools give them.

use super::*;

fn at(path: &str) -> Frame {
    Frame { abs_path: Some(path.to_owned()), line: Some(1), ..Frame::default() }
}

fn class(module: &str, file: &str) -> Option<String> {
    let frame = Frame { module: Some(module.into()), filename: Some(file.into()), ..Frame::default() };
    match names_of(&frame, Platform::Java, None).spellings.as_slice() {
        [Spelling::Class { package, file }] => Some(format!("{}/{file}", package.join("/"))),
        _ => None,
    }
}

fn shown(platform: Platform, path: &str) -> String {
    let names = names_of(&at(path), platform, Some("acme/shop"));
    let shown = names.spellings.iter().map(|spelling| match spelling {
        Spelling::Path(parts) => parts.join("/"),
        Spelling::Rooted(parts) => format!("root:{}", parts.join("/")),
        Spelling::GoImport(parts) => format!("go:{}", parts.join("/")),
        Spelling::Dart { package, rest } => format!("dart:{package}:{}", rest.join("/")),
        Spelling::Class { package, file } => format!("class:{}/{file}", package.join("/")),
        Spelling::Mix { application, rest } => format!("mix:{application}:{}", rest.join("/")),
    });
    let shown = shown.collect::<Vec<_>>().join(" | ");
    if names.is_foreign { format!("foreign {shown}") } else { shown }
}

#[test]
fn an_elixir_application_says_whose_its_relative_paths_are() {
    let first = |application: &str, path: &str| {
        let frame = Frame { application: Some(application.to_owned()), ..at(path) };
        names_of(&frame, Platform::Other, None).spellings.remove(0)
    };
    let rest = ["lib", "till.ex"].map(str::to_owned).to_vec();
    assert_eq!(first("shop", "lib/till.ex"), Spelling::Mix { application: "shop".to_owned(), rest });
    for (application, path) in [("shop", "/srv/app/lib/till.ex"), ("", "lib/till.ex"), ("shop", "till.ex")] {
        assert!(matches!(first(application, path), Spelling::Path(_)), "{application} {path}");
    }
}

#[test]
fn what_runtimes_put_around_a_path_is_taken_off() {
    for (reported, path) in [
        ("/srv/app/shop/cart.py", "srv/app/shop/cart.py"),
        ("C:\\app\\shop\\cart.py", "C:/app/shop/cart.py"),
        ("\\\\?\\C:\\app\\cart.py", "C:/app/cart.py"),
        ("\\\\files\\share\\shop\\cart.py", "files/share/shop/cart.py"),
        ("file:///srv/shop/cart.mjs", "srv/shop/cart.mjs"),
        ("file://localhost/srv/shop/cart.mjs", "srv/shop/cart.mjs"),
        ("file:/srv/shop/cart.rb", "srv/shop/cart.rb"),
        ("file:///C:/app/cart.mjs", "C:/app/cart.mjs"),
        ("jar:file:/srv/app.jar!/shop/cart.rb", "srv/app.jar/shop/cart.rb"),
        ("phar:///srv/a.phar/src/x.php", "srv/a.phar/src/x.php"),
        ("webpack:///./src/cart.ts?af12", "src/cart.ts"),
        ("webpack://shop/./src/cart.ts", "shop/src/cart.ts"),
        ("webpack://_N_E/./src/cart.ts?af12", "src/cart.ts"),
        ("webpack-internal:///./src/cart.ts", "src/cart.ts"),
        ("webpack-internal:///(rsc)/./src/cart.ts", "src/cart.ts"),
        ("turbopack:///[project]/src/cart.ts", "src/cart.ts"),
        ("rsc://React/Server/file:///srv/.next/server/page.js?0", "srv/.next/server/page.js"),
        ("http://localhost:5173/@fs/srv/shop/src/cart.ts?t=17", "srv/shop/src/cart.ts"),
        ("app:///src/cart.js", "src/cart.js"),
        ("https://shop.example.com/static/cart.js?v=2#x", "static/cart.js"),
        ("~/static/cart.js", "static/cart.js"),
        ("/srv/shop/../common/./a.py", "srv/common/a.py"),
        ("../../../etc/passwd", "etc/passwd"),
        ("/srv/app.pyz/shop/cart.py", "srv/app.pyz/shop/cart.py"),
        ("", ""),
        ("///", ""),
    ] {
        assert_eq!(parts_of(reported).join("/"), path, "{reported}");
    }
}

#[test]
fn a_class_and_its_file_are_one_path() {
    for (module, file, path) in [
        ("com.acme.shop.cart.Cart", "Cart.java", "com/acme/shop/cart/Cart.java"),
        ("com.acme.shop.cart.Cart$Line", "Cart.java", "com/acme/shop/cart/Cart.java"),
        ("com.acme.shop.cart.Cart$$Lambda/0x00007f3a", "Cart.java", "com/acme/shop/cart/Cart.java"),
        ("com.acme.shop.cart.Cart$$Lambda$14", "Cart.java", "com/acme/shop/cart/Cart.java"),
        ("app//com.acme.Cart", "Cart.java", "com/acme/Cart.java"),
        ("com.acme.shop.tax.TaxKt", "Tax.kt", "com/acme/shop/tax/Tax.kt"),
        ("com.acme.shop.tax.TaxKt$vat$1", "Tax.kt", "com/acme/shop/tax/Tax.kt"),
        ("com.acme.shop.Cart$", "Cart.scala", "com/acme/shop/Cart.scala"),
        ("shop.cart$total", "cart.clj", "shop/cart.clj"),
        ("Main", "Main.java", "/Main.java"),
        // As printed traces are read.
        ("com.acme.shop.MainKt", "com/acme/shop/Main.kt", "com/acme/shop/Main.kt"),
    ] {
        assert_eq!(class(module, file).as_deref(), Some(path), "{module} {file}");
    }
    // A whole path says more than its class; what R8 left of a name says nothing.
    assert_eq!(class("com.acme.Cart", "app/src/main/java/com/acme/Cart.java"), None);
    assert_eq!(class("a.b.c", "SourceFile"), None);
    assert_eq!(class("", "Cart.java"), None);
}

#[test]
fn packages_are_named_by_their_manifests() {
    assert_eq!(shown(Platform::Other, "package:shop/src/cart.dart"), "dart:shop:src/cart.dart");
    assert_eq!(shown(Platform::Other, "package:money/rules.dart"), "dart:money:rules.dart");
    assert_eq!(shown(Platform::Other, "dart:core-patch/growable_array.dart"), "foreign ");
    assert_eq!(
        shown(Platform::Javascript, "http://localhost:8080/packages/shop/src/cart.dart"),
        "dart:shop:src/cart.dart | packages/shop/src/cart.dart"
    );
    assert_eq!(shown(Platform::Go, "example.com/shop/store/stock.go"), "go:example.com/shop/store/stock.go");
    assert_eq!(shown(Platform::Go, "net/http/server.go"), "go:net/http/server.go");
    assert_eq!(shown(Platform::Go, "/build/store/stock.go"), "build/store/stock.go");
    let frame = Frame { module: Some("example.com/shop/store_test".into()), ..at("/build/store/stock_test.go") };
    let import = ["example.com", "shop", "store", "stock_test.go"].map(str::to_owned).to_vec();
    assert_eq!(names_of(&frame, Platform::Go, None).spellings[0], Spelling::GoImport(import));
    let frame = Frame { module: Some("main".into()), ..at("/build/main.go") };
    assert_eq!(names_of(&frame, Platform::Go, None).spellings.len(), 1);
}

#[test]
fn build_tools_name_the_repository_itself() {
    let link = |owner: &str| format!("https://raw.githubusercontent.com/{owner}/0123abc/src/Cart.cs");
    assert_eq!(shown(Platform::Other, &link("Acme/Shop")), "root:src/Cart.cs");
    assert_eq!(shown(Platform::Other, &link("other/lib")), "foreign src/Cart.cs");
    assert_eq!(shown(Platform::Other, "/_/src/Cart.cs"), "root:src/Cart.cs");
    assert_eq!(shown(Platform::Other, "/_/Program.cs"), "root:Program.cs");
}

#[test]
fn urls_are_decoded_once_and_tried_as_they_are_first() {
    for (reported, names) in [
        (
            "file:///srv/src/Order%20Service/index.mjs",
            "srv/src/Order%20Service/index.mjs | srv/src/Order Service/index.mjs",
        ),
        ("https://shop.example.com/src/gr%C3%B6%C3%9Fen.mjs", "src/gr%C3%B6%C3%9Fen.mjs | src/größen.mjs"),
        ("app:///pages/%5Bslug%5D.js", "pages/%5Bslug%5D.js | pages/[slug].js"),
        ("file:///srv/a%2520b.mjs", "srv/a%2520b.mjs | srv/a%20b.mjs"),
        // What would be no part of a path, or no text, stays.
        ("file:///srv/a%2Fb.mjs", "srv/a%2Fb.mjs"),
        ("file:///srv/%2E%2E/b.mjs", "srv/%2E%2E/b.mjs"),
        ("file:///srv/%ff.mjs", "srv/%ff.mjs"),
        ("file:///srv/100%.mjs", "srv/100%.mjs"),
    ] {
        assert_eq!(shown(Platform::Node, reported), names, "{reported}");
    }
}

#[test]
fn a_module_that_went_through_loaders_is_the_last_of_them() {
    for (reported, names) in [
        (
            "webpack-internal:///./node_modules/vue-loader/lib/index.js??opts!./web/Till.vue?vue&type=script&lang=js&",
            "web/Till.vue",
        ),
        ("webpack:///./node_modules/ts-loader/index.js!./web/till.ts", "web/till.ts"),
        ("webpack:///./web/till.ts?3f2a", "web/till.ts"),
        ("webpack:///./web/till!", "web/till!"),
        ("/srv/app/wow!till.js", "srv/app/wow!till.js"),
    ] {
        assert_eq!(shown(Platform::Javascript, reported), names, "{reported}");
    }
}

#[test]
fn a_source_link_says_whose_repository_it_is() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    for (host, names) in [
        ("https://gitlab.example.com/other/thing/raw/COMMIT/Src/Till.cs", "foreign Src/Till.cs"),
        ("https://gitlab.example.com/acme/shop/-/raw/COMMIT/Src/Till.cs", "root:Src/Till.cs"),
        ("https://ghe.example.com/raw/Acme/Shop/COMMIT/Src/Till.cs", "root:Src/Till.cs"),
        ("https://ghe.example.com/raw/other/thing/COMMIT/Src/Till.cs", "foreign Src/Till.cs"),
        ("https://api.example.com/2.0/repositories/other/thing/src/COMMIT/Src/Till.cs", "foreign Src/Till.cs"),
        (
            "https://dev.example.com/x/_apis/git/repositories/z/items?api-version=1.0&version=COMMIT&path=/Src/Till.cs",
            "foreign Src/Till.cs",
        ),
        ("https://cdn.example.com/COMMIT/src/till.js", "COMMIT/src/till.js"),
        ("/_1/Src/Till.cs", "foreign Src/Till.cs"),
        ("/_/Src/Till.cs", "root:Src/Till.cs"),
        ("/_build/Src/Till.cs", "_build/Src/Till.cs"),
    ] {
        let (host, names) = (host.replace("COMMIT", commit), names.replace("COMMIT", commit));
        assert_eq!(shown(Platform::Other, &host), names, "{host}");
    }
}

#[test]
fn what_names_no_file_has_no_name() {
    for nothing in
        ["<string>", "<anonymous>", "/srv/<eval>", "node:internal/process/task_queues", "ext:core/01_core.js"]
    {
        assert!(names_of(&at(nothing), Platform::Node, None).spellings.is_empty(), "{nothing}");
    }
    assert!(names_of(&Frame::default(), Platform::Python, None).spellings.is_empty());
    assert!(names_of(&at(&"x/".repeat(LONGEST)), Platform::Python, None).spellings.is_empty());
    // The absolute path says that it is foreign, the file name would not.
    let frame = Frame { filename: Some("json/decoder.py".into()), ..at("/usr/lib/python3.11/json/decoder.py") };
    assert!(names_of(&frame, Platform::Python, None).is_foreign);
}
