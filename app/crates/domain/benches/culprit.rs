//! What choosing the culprit of a report costs, once its frames are located, and its fingerprint:
//! `cargo bench -p domain --bench culprit`. Then the same of ten times as many frames.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints what it finds")]

use domain::culprit::{FrameAt, Located, choose};
use domain::drift::Drift;
use domain::fingerprint::{Fingerprint, FingerprintBuilder};
use domain::report::{Exception, Frame, Report};
use domain::rule::Rules;
use domain::settings::Settings;
use domain::timestamp::Timestamp;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

/// Frames of a usual traceback, half of them a framework's.
const FRAMES: u32 = 30;

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 5_000 } else { 20 };
    let rules = Rules::new(Settings::default(), Vec::new(), Timestamp::UNIX_EPOCH);
    for frames in [FRAMES, 10 * FRAMES] {
        let report = report(frames);
        let located = located(&report);
        let choosing = microseconds(rounds, || drop(black_box(choose(&report, &located, &BTreeMap::new(), &rules))));
        let hashing = microseconds(rounds, || _ = black_box(fingerprint(&report)));
        println!("{frames} frames: culprit {choosing:.1} µs, fingerprint {hashing:.1} µs");
    }
}

fn microseconds(rounds: u32, mut work: impl FnMut()) -> f64 {
    work();
    let began = Instant::now();
    (0..rounds).for_each(|_| work());
    began.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
}

/// Ours are in the repository, all others are not.
fn located(report: &Report) -> BTreeMap<FrameAt, Located> {
    let frames = report.exceptions[0].frames.iter().enumerate().filter(|(_, frame)| frame.in_app == Some(true));
    let located = |frame: &Frame| Located {
        path: frame.filename.clone().unwrap_or_default(),
        line: frame.line.unwrap_or_default(),
        code: frame.context_line.clone().unwrap_or_default(),
        drift: Drift::None,
    };
    frames.map(|(at, frame)| ((0, at), located(frame))).collect()
}

/// As crate `wire` makes it of an event.
fn fingerprint(report: &Report) -> Fingerprint {
    let mut fingerprint = FingerprintBuilder::new(Some("3f1c9a7"), None);
    for exception in &report.exceptions {
        fingerprint.exception(None, Some(&exception.kind), None);
        for frame in &exception.frames {
            let (filename, context) = (frame.filename.as_deref(), frame.context_line.as_deref());
            fingerprint.frame(filename, frame.abs_path.as_deref(), frame.function.as_deref(), frame.line, context);
        }
    }
    fingerprint.finish()
}

fn report(frames: u32) -> Report {
    let frame = |n: u32| {
        let is_ours = n.is_multiple_of(2);
        let filename = if is_ours { format!("shop/step_{n}.py") } else { format!("site-packages/flask/app_{n}.py") };
        Frame {
            abs_path: Some(format!("/srv/app/{filename}")),
            filename: Some(filename),
            module: Some(format!("shop.step_{n}")),
            function: Some(format!("step_{n}")),
            line: Some(10 + n),
            context_line: Some(format!("    return step_{}(order)", n + 1)),
            in_app: Some(is_ours),
            ..Frame::default()
        }
    };
    let raised = Exception {
        kind: "KeyError".to_owned(),
        value: Some("'sku'".to_owned()),
        frames: (0..frames).map(frame).collect(),
        ..Exception::default()
    };
    Report { exceptions: vec![raised], ..Report::default() }
}
