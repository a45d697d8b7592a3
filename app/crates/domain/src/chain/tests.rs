//! Tests of how exceptions hang together: by client, by carrier, in groups and in circles.

use super::*;
use crate::report::Frame;

/// An exception by `[module|]type[=message]`, with a frame in each of these functions.
fn exception(said: &str, functions: &[&str]) -> Exception {
    let (module, said) = said.split_once('|').map_or((None, said), |(module, said)| (Some(module.to_owned()), said));
    let (kind, value) = said.split_once('=').map_or((said, None), |(kind, value)| (kind, Some(value.to_owned())));
    let frame = |function: &&str| Frame { function: Some((*function).to_owned()), ..Frame::default() };
    let frames = functions.iter().map(frame).collect();
    Exception { kind: kind.to_owned(), module, value, frames, ..Exception::default() }
}

fn linked(exception: Exception, id: u32, parent: Option<u32>, source: &str) -> Exception {
    let source = (!source.is_empty()).then(|| source.to_owned());
    Exception { id: Some(id), parent, source, ..exception }
}

fn report(platform: Platform, exceptions: Vec<Exception>) -> Report {
    Report { platform, exceptions, ..Report::default() }
}

/// Innermost functions of the exceptions that have frames, in order.
fn order(report: &Report) -> Vec<&str> {
    let innermost = |index: usize| report.exceptions[index].frames.last()?.function.as_deref();
    in_order(report).into_iter().filter_map(innermost).collect()
}

#[test]
fn in_go_the_innermost_stack_leads() {
    let chain = |inner: &[&str], middle: &[&str]| {
        report(
            Platform::Go,
            vec![
                linked(exception("*errors.fundamental", inner), 2, Some(1), "unwrap"),
                linked(exception("*errors.withStack", middle), 1, Some(0), "unwrap"),
                linked(exception("*fmt.wrapError", &["main", "report"]), 0, None, ""),
            ],
        )
    };
    assert_eq!(order(&chain(&["main", "Count"], &["main", "Order"])), ["Count", "Order", "report"]);
    assert_eq!(order(&chain(&[], &["main", "Order"])), ["Order", "report"]);
    assert_eq!(order(&chain(&[], &[])), ["report"], "only the capture call's is there");
    // A variable of a package: its stack says when the program started.
    assert_eq!(order(&chain(&["init"], &["main", "Order"])), ["Order", "report", "init"]);
    assert_eq!(order(&chain(&["init"], &[])), ["report", "init"]);
    for made in [["init", "newErr"], ["runtime.doInit", "shop.init"]] {
        assert_eq!(order(&chain(&made, &["main", "Order"])), ["Order", "report", made[1]], "a function made it");
    }
    assert_eq!(order(&chain(&["main", "(*Cart).init"], &[])), ["(*Cart).init", "report"], "a method of that name");
    assert_eq!(order(&chain(&["main", "init.0"], &[])), ["init.0", "report"], "a function of that name");
    // Old clients number nothing.
    let unnumbered = vec![exception("*errors.fundamental", &["Count"]), exception("*fmt.wrapError", &["report"])];
    assert_eq!(order(&report(Platform::Go, unnumbered)), ["Count", "report"]);
}

#[test]
fn in_go_what_was_joined_and_wrapped_leads_in_its_order() {
    let group = Exception { is_group: true, ..linked(exception("*errors.joinError", &[]), 1, Some(0), "unwrap") };
    let joined = report(
        Platform::Go,
        vec![
            linked(exception("*errors.fundamental", &["Of"]), 4, Some(1), "errors[1]"),
            linked(exception("*errors.fundamental", &["Count"]), 3, Some(2), "unwrap"),
            linked(exception("*fmt.wrapError", &[]), 2, Some(1), "errors[0]"),
            group,
            linked(exception("*fmt.wrapError", &["report"]), 0, None, ""),
        ],
    );
    assert_eq!(order(&joined), ["Count", "Of", "report"]);
    assert_eq!(members(&joined), [2, 0]);
    assert_eq!(with_causes(&joined.exceptions, 2), [1, 2]);
}

#[test]
fn a_worker_of_a_pool_leads_before_who_waited_for_it() {
    for remote in [
        "multiprocessing.pool|RemoteTraceback",
        "concurrent.futures.process|_RemoteTraceback",
        "joblib.externals.loky.process_executor|_RemoteTraceback",
        "billiard.einfo.RemoteTraceback",
    ] {
        let raised = exception("KeyError", &["with_pool", "get"]);
        let chain = |remote: Exception| report(Platform::Python, vec![remote, raised.clone()]);
        assert_eq!(order(&chain(exception(remote, &["worker", "convert"]))), ["convert", "get"], "{remote}");
        // By its links, too, and nothing where the text gave no frames.
        let numbered = vec![
            linked(exception(remote, &["worker", "convert"]), 1, Some(0), "__cause__"),
            linked(raised.clone(), 0, None, ""),
        ];
        assert_eq!(order(&report(Platform::Python, numbered)), ["convert", "get"], "{remote}");
        assert_eq!(chain(exception(remote, &[])).exception_name().as_deref(), Some("KeyError"));
    }
    let other = report(Platform::Python, vec![exception("ValueError", &["a"]), exception("KeyError", &["b"])]);
    assert_eq!(order(&other), ["b", "a"], "any other cause comes after what was raised");
}

#[test]
fn what_only_carries_comes_after_what_it_carries() {
    for (platform, carrier) in [
        (Platform::Other, "System.Reflection.TargetInvocationException"),
        (Platform::Other, "System.Private.CoreLib, Version=9.0.0.0|System.TypeInitializationException"),
        (Platform::Other, "System.AggregateException"),
        (Platform::Java, "java.util.concurrent|ExecutionException"),
        (Platform::Java, "java.lang.reflect|InvocationTargetException"),
        (Platform::Java, "java.lang.reflect|UndeclaredThrowableException"),
        (Platform::Java, "java.util.concurrent|CompletionException=java.lang.Error: x"),
        (Platform::Java, "jakarta.servlet|ServletException=Request processing failed: x"),
        (Platform::Ruby, "ActionView::Template|ActionView::Template::Error"),
        (
            Platform::Other,
            "Twig\\Error\\RuntimeError=An exception has been thrown during the rendering of a template (\"x\")",
        ),
        (Platform::Python, "tenacity|RetryError"),
    ] {
        let failed = exception("shop|SoldOut=none left", &["failed"]);
        let carries = report(platform, vec![failed, exception(carrier, &["waits"])]);
        assert_eq!(order(&carries), ["failed", "waits"], "{carrier}");
        let names: Vec<String> = raised_and_carried(&carries).into_iter().map(Exception::full_name).collect();
        assert_eq!(names.last().map(String::as_str), Some("shop.SoldOut"), "{carrier}");
    }
    for raised in ["shop|OrderFailed", "jakarta.servlet|ServletException=no cart", "java.lang|RuntimeException"] {
        let plain = report(Platform::Java, vec![exception("shop|SoldOut", &["a"]), exception(raised, &["b"])]);
        assert_eq!(order(&plain), ["b", "a"], "{raised} says something itself");
        assert_eq!(raised_and_carried(&plain).len(), 1);
    }
}

#[test]
fn in_java_a_wrapper_of_nothing_but_its_cause_comes_after_it() {
    let chain = |wrapper: &str, cause: &str| {
        let exceptions = vec![exception(cause, &["failed"]), exception(wrapper, &["wraps"])];
        order(&report(Platform::Java, exceptions)).join(" ")
    };
    assert_eq!(chain("java.lang|RuntimeException=shop.SoldOut: none left", "shop|SoldOut=none left"), "failed wraps");
    assert_eq!(chain("java.lang|RuntimeException=shop.SoldOut", "shop|SoldOut"), "failed wraps");
    assert_eq!(chain("java.lang|RuntimeException=shop.SoldOut: another", "shop|SoldOut=none left"), "wraps failed");
    assert_eq!(chain("java.lang|RuntimeException=order 7", "shop|SoldOut=none left"), "wraps failed");
    let copied = vec![
        exception("java.lang|IllegalStateException=x", &["failed"]),
        exception("java.lang|IllegalStateException=x", &["_COROUTINE._BOUNDARY._", "await"]),
    ];
    assert_eq!(order(&report(Platform::Java, copied)), ["failed", "await"]);
}

#[test]
fn what_was_suppressed_never_leads() {
    // As sentry-java sends it: raised, its suppressed, its cause, the other way round.
    let sent = report(
        Platform::Java,
        vec![
            linked(exception("shop|Root", &["cause"]), 2, Some(0), ""),
            linked(exception("shop|OnClose", &["close"]), 1, Some(0), SUPPRESSED),
            linked(exception("java.util.concurrent|ExecutionException", &["get"]), 0, None, ""),
        ],
    );
    assert_eq!(order(&sent), ["cause", "get", "close"]);
    let first = linked(exception("shop|OnClose", &["close"]), 1, None, SUPPRESSED);
    let printed = vec![first, exception("shop|Root", &["cause"]), exception("shop|Raised", &["raised"])];
    assert_eq!(order(&report(Platform::Java, printed)), ["raised", "cause", "close"]);
}

#[test]
fn members_of_a_group_come_first_however_their_client_lists_them() {
    for word in ["exceptions", "errors", "InnerExceptions", "failures"] {
        let group = report(
            Platform::Other,
            vec![
                linked(exception("B", &["b"]), 2, Some(0), &format!("{word}[1]")),
                linked(exception("A", &["a"]), 1, Some(0), &format!("{word}[0]")),
                linked(exception("Cause", &["cause"]), 3, Some(0), "__cause__"),
                Exception { is_group: true, ..linked(exception("Group", &["waits"]), 0, None, "") },
            ],
        );
        assert_eq!(order(&group), ["a", "b", "waits", "cause"], "{word}");
        assert_eq!(members(&group), [1, 0], "{word}");
    }
}

#[test]
fn a_group_in_a_group_is_taken_apart() {
    let group = |said: &str, id: u32, parent: Option<u32>, source: &str| Exception {
        is_group: true,
        ..linked(exception(said, &["gathered"]), id, parent, source)
    };
    let nested = report(
        Platform::Python,
        vec![
            linked(exception("C", &["c"]), 4, Some(2), "exceptions[1]"),
            linked(exception("B", &["b"]), 3, Some(2), "exceptions[0]"),
            group("Inner", 2, Some(0), "exceptions[1]"),
            linked(exception("A", &["a"]), 1, Some(0), "exceptions[0]"),
            group("Outer", 0, None, ""),
        ],
    );
    assert_eq!(members(&nested), [3, 1, 0]);
    assert_eq!(order(&nested), ["a", "b", "c", "gathered", "gathered"]);
}

#[test]
fn links_that_lead_round_in_circles_end() {
    for platform in [Platform::Go, Platform::Java, Platform::Python] {
        let exceptions: Vec<Exception> = (0..50)
            .map(|id| Exception {
                is_group: id % 3 == 0,
                ..linked(
                    exception("java.util.concurrent|ExecutionException", &["f"]),
                    id,
                    Some((id + 1) % 50),
                    "errors[0]",
                )
            })
            .chain([linked(exception("java.util.concurrent|ExecutionException", &["f"]), 7, Some(7), "")])
            .collect();
        let report = report(platform, exceptions);
        assert_eq!(in_order(&report).len(), 51);
        assert!(members(&report).len() <= 51 && raised_and_carried(&report).len() <= 51);
        assert!(report.exception_name().is_some());
    }
}

#[test]
fn in_go_the_name_is_the_first_that_says_something() {
    let name = |kinds: &[&str]| {
        let chain = kinds.iter().rev().map(|kind| exception(kind, &[])).collect();
        report(Platform::Go, chain).exception_name().unwrap()
    };
    assert_eq!(name(&["*fmt.wrapError", "*fmt.wrapError", "*fs.PathError", "syscall.Errno"]), "*fs.PathError");
    assert_eq!(name(&["shop.SoldOut", "*pq.Error"]), "shop.SoldOut");
    assert_eq!(name(&["*errors.withStack", "*errors.fundamental"]), "*errors.fundamental");
    assert_eq!(name(&["*errors.errorString"]), "*errors.errorString");
    assert_eq!(name(&["panic"]), "panic");
}

#[test]
fn where_a_cause_is_blamed_it_is_said_what_it_was() {
    let one = |kind: &str, value: &str, frames: usize| Exception {
        kind: kind.into(),
        value: Some(value.into()),
        frames: vec![Frame::default(); frames],
        ..Exception::default()
    };
    let report = |cause| Report { exceptions: vec![cause, one("SyncFailed", "no prices", 1)], ..Report::default() };
    let of_error = report(one("Error", "connection refused\nat once", 2));
    assert_eq!(
        cause_sentence(&of_error, (0, 1)).unwrap(),
        "This line raised Error: connection refused, which led to the error above."
    );
    assert_eq!(
        cause_sentence(&of_error, (0, 0)).unwrap(),
        "This line led to Error: connection refused, which led to the error above."
    );
    assert_eq!(cause_sentence(&of_error, (1, 0)), None, "the headline's own");
    let long = cause_sentence(&report(one("Error", &"ä".repeat(900), 1)), (0, 0)).unwrap();
    assert!(long.contains("ä…, which") && long.chars().count() < 300, "{long}");
    assert!(cause_sentence(&report(one("Error", "", 1)), (0, 0)).unwrap().starts_with("This line raised Error, "));
    assert_eq!(cause_sentence(&report(one("SyncFailed", "no prices", 1)), (0, 0)), None, "it says the same");
    assert_eq!(cause_sentence(&report(one("RemoteTraceback", "\n\"\"\"", 1)), (0, 0)), None);
    let mut suppressed = one("Error", "x", 1);
    suppressed.source = Some(SUPPRESSED.into());
    assert_eq!(cause_sentence(&report(suppressed), (0, 0)), None);
}
