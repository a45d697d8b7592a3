//! Sentences of a verdict about places whose function is unknown, or whose line was never called.

use super::*;

fn caller(function: &str) -> Suspect {
    Suspect {
        path: "shop/settings.py".to_owned(),
        line: 12,
        function: function.to_owned(),
        frame: None,
        function_lines: None,
        blame: None,
        rule: SuspectedBy::Caller,
    }
}

#[test]
fn a_function_that_is_unknown_is_left_out() {
    for unknown in ["?", ""] {
        let words = suspect_sentence(&caller(unknown), None, false);
        assert_eq!(words, "Look next at shop/settings.py:12: it called the blamed line.");
    }
}

#[test]
fn a_line_that_an_exception_names_was_read_by_what_is_on_the_stack() {
    let words = suspect_sentence(&caller("load"), None, true);
    assert_eq!(words, "Look next at shop/settings.py:12 in load: it read the blamed line.");
}

#[test]
fn a_class_without_its_file_is_the_name_of_the_place() {
    let place = |file: &str, module: Option<&str>| {
        let frame = Frame { filename: Some(file.into()), module: module.map(Into::into), ..Frame::default() };
        frame.place_name().to_owned()
    };
    for file in ["SourceFile", "Proguard", "PG", "r8-map-id-88a3f1", "Unknown Source"] {
        assert_eq!(place(file, Some("a.b.c")), "a.b.c", "{file}");
        assert_eq!(place(file, None), file);
    }
    assert_eq!(place("Cart.java", Some("com.acme.Cart")), "Cart.java");
}
