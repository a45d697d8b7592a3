//! An alert as mail, issue and page say it: texts cut to size, the traceback folded, times written
//! out.

use super::detail::Detail;
use super::facts::{LinkView, Medium, Privacy, Section, Sentence, links, paragraphs, sections};
use super::format::{dedent, file_line, function, known_function};
use domain::alert::{Alert, TracedException, TracedFrame};
use domain::counted::counted;
use domain::visible::clip;
use serde::Serialize;

/// Characters of a message that a heading takes: some two lines.
const MOST_HEAD_CHARS: usize = 160;

/// Everything that templates say of an alert. Texts are cut and visible, but not yet escaped.
#[derive(Clone, Debug, Serialize)]
pub struct AlertView {
    /// `owner/name`.
    pub repository: String,
    /// A rule's header.
    pub header: Option<String>,
    /// Why this reader is told, one sentence.
    pub why: String,
    /// Type of the exception.
    pub exception: String,
    /// Its message, several lines at most.
    pub message: Option<String>,
    /// The beginning of the message, short enough for a heading.
    pub message_head: Option<String>,
    /// The heading does not hold the whole message.
    pub message_continues: bool,
    /// `shop/cart.py:42`.
    pub place: String,
    /// The line on GitHub.
    pub place_url: Option<String>,
    /// Its function, where known.
    pub function: Option<String>,
    /// Where the line comes from and whose it is: paragraphs of sentences.
    pub facts: Vec<Vec<Sentence>>,
    /// The line among its neighbours; just the line where the file isn't known.
    pub snippet: Vec<CodeLine>,
    /// The chain of exceptions, as printed.
    pub traceback: Vec<ExceptionView>,
    /// What the marks in it mean; empty where it has none.
    pub marks: String,
    /// Facts in rows: variables, request, how often.
    pub sections: Vec<Section>,
    /// Why no line was found, or nobody is known to have written it, and what to do about it.
    pub no_line: Vec<String>,
    /// How the culprit was found, in sentences.
    pub verdict: Vec<String>,
    /// Pages to go to.
    pub links: Vec<LinkView>,
    /// Something was left out to make it fit.
    pub shortened: bool,
}

/// One numbered line of code.
#[derive(Clone, Debug, Serialize)]
pub struct CodeLine {
    /// The number, padded with spaces to the width of the longest.
    pub number: String,
    /// The text.
    pub text: String,
    /// The failing line.
    pub culprit: bool,
}

/// One exception of the chain.
#[derive(Clone, Debug, Serialize)]
pub struct ExceptionView {
    /// The sentence before it, where it follows another.
    pub relation: Option<String>,
    /// Full type name.
    pub name: String,
    /// Its message.
    pub value: Option<String>,
    /// Oldest call first.
    pub steps: Vec<Step>,
}

/// A call of a traceback, or some that are left out.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Step {
    /// A call.
    Call(CallView),
    /// Calls left out.
    Fold {
        /// How many.
        calls: usize,
    },
}

/// One call of a traceback.
#[derive(Clone, Debug, Serialize)]
pub struct CallView {
    /// File.
    pub path: String,
    /// Line; 0 where unknown.
    pub line: u32,
    /// Function, where known.
    pub function: Option<String>,
    /// Text of the line, where known.
    pub code: Option<String>,
    /// Code of the repository.
    pub own: bool,
    /// The one to blame.
    pub culprit: bool,
    /// The line on GitHub.
    pub url: Option<String>,
}

impl AlertView {
    /// The alert, as much of it as `detail` allows, and no more than the readers of this medium may
    /// know.
    pub(super) fn new(alert: &Alert, detail: &Detail, medium: Medium, shortened: bool) -> Self {
        let place = &alert.place;
        let says = Privacy::Message.allows(medium, alert);
        let message = detail.message(alert.message.as_deref()).filter(|_| says);
        let message_head = message.as_ref().map(|text| clip(text.lines().next().unwrap_or_default(), MOST_HEAD_CHARS));
        Self {
            repository: alert.repository.full_name.to_string(),
            header: detail.message(alert.header.as_deref()),
            why: why(alert, detail),
            exception: exception_name(&alert.exception, detail),
            message_continues: message != message_head,
            message_head,
            message,
            place: file_line(&detail.code(&place.path), place.line),
            place_url: alert.links.line.clone(),
            function: function(place).map(|name| detail.code(&name)),
            facts: paragraphs(alert, detail, medium),
            snippet: snippet(alert, detail),
            traceback: traceback(&alert.traceback, detail, says),
            marks: marks(alert),
            sections: sections(alert, detail, medium),
            no_line: sentences(&alert.no_line, detail),
            verdict: sentences(&alert.verdict, detail),
            links: links(alert, medium),
            shortened,
        }
    }
}

/// The sentence that says why this reader is told.
fn why(alert: &Alert, detail: &Detail) -> String {
    let why = detail.value(&alert.told.why);
    if !why.is_empty() {
        return why;
    }
    match &alert.blame {
        Some(blame) if blame.author.name == alert.told.name => "You wrote this line.".to_owned(),
        _ => "You are told because nobody else could be found for this line.".to_owned(),
    }
}

/// What the marks of the traceback mean, in the words of what is known of its line.
fn marks(alert: &Alert) -> String {
    let has = |test: fn(&TracedFrame) -> bool| alert.traceback.iter().flat_map(|one| &one.frames).any(test);
    let repository = &alert.repository.full_name;
    match (has(|frame| frame.culprit), has(|frame| frame.own)) {
        (true, _) if alert.no_line.is_empty() => format!("> the line to blame, * other code of {repository}"),
        (true, _) => format!("> the line that failed, * other code of {repository}"),
        (false, true) => format!("* code of {repository}"),
        (false, false) => String::new(),
    }
}

/// The type's name; clients may leave it out.
fn exception_name(name: &str, detail: &Detail) -> String {
    if name.trim().is_empty() { "Error".to_owned() } else { detail.code(name) }
}

fn snippet(alert: &Alert, detail: &Detail) -> Vec<CodeLine> {
    let place = &alert.place;
    let snippet = &alert.snippet;
    if snippet.lines.is_empty() {
        let number = if place.line == 0 { String::new() } else { place.line.to_string() };
        let shown = CodeLine { number, text: detail.code(&place.code), culprit: true };
        return if place.code.trim().is_empty() { Vec::new() } else { vec![shown] };
    }
    let count = u32::try_from(snippet.lines.len()).unwrap_or(u32::MAX);
    let width = snippet.first.saturating_add(count.saturating_sub(1)).to_string().len();
    (snippet.first..)
        .zip(dedent(&snippet.lines))
        .map(|(number, text)| CodeLine {
            number: format!("{number:width$}"),
            text: detail.code(&text),
            culprit: number == place.line,
        })
        .collect()
}

/// The chain, its middle left out where it is long: the first cause and the last exceptions say
/// most. What the exceptions said is there where `says`.
fn traceback(chain: &[TracedException], detail: &Detail, says: bool) -> Vec<ExceptionView> {
    let left_out = chain.len().saturating_sub(detail.exceptions);
    let shown = chain.iter().enumerate().filter(|(at, _)| *at == 0 || *at > left_out);
    let mut views: Vec<ExceptionView> = shown.map(|(_, exception)| exception_view(exception, detail, says)).collect();
    if left_out > 0
        && let Some(second) = views.get_mut(1)
    {
        let relation = second.relation.take().unwrap_or_default();
        second.relation =
            Some(format!("({left_out} exceptions of the chain left out) {relation}").trim_end().to_owned());
    }
    views
}

fn exception_view(exception: &TracedException, detail: &Detail, says: bool) -> ExceptionView {
    ExceptionView {
        relation: exception.relation.as_deref().map(|text| detail.value(text)),
        name: exception_name(&exception.name, detail),
        value: detail.message(exception.value.as_deref()).filter(|_| says),
        steps: steps(&exception.frames, detail),
    }
}

/// The calls, the middle ones folded where there are many; the culprit stays wherever it stands.
fn steps(frames: &[TracedFrame], detail: &Detail) -> Vec<Step> {
    let tail_from = frames.len().saturating_sub(detail.tail);
    let mut steps: Vec<Step> = Vec::with_capacity(frames.len().min(detail.head + detail.tail + 3));
    for (at, frame) in frames.iter().enumerate() {
        // Folding a single call would save nothing.
        let fits = frames.len() <= detail.head + detail.tail + 1;
        if fits || at < detail.head || at >= tail_from || frame.culprit {
            steps.push(Step::Call(call(frame, detail)));
        } else if let Some(Step::Fold { calls }) = steps.last_mut() {
            *calls += 1;
        } else {
            steps.push(Step::Fold { calls: 1 });
        }
    }
    steps
}

fn call(frame: &TracedFrame, detail: &Detail) -> CallView {
    CallView {
        path: detail.code(&frame.path),
        line: frame.line,
        function: known_function(&frame.function).map(|name| detail.code(&name)),
        code: frame.code.as_deref().map(|code| detail.code(code.trim())).filter(|code| !code.is_empty()),
        own: frame.own,
        culprit: frame.culprit,
        url: frame.url.clone(),
    }
}

fn sentences(verdict: &[String], detail: &Detail) -> Vec<String> {
    let mut shown: Vec<String> = verdict.iter().take(detail.sentences).map(|text| detail.value(text)).collect();
    if let Some(more @ 1..) = verdict.len().checked_sub(detail.sentences) {
        shown.push(format!("And {}.", counted(more, "more step", "more steps")));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detail::DETAILS;
    use crate::sample;

    fn frames(count: u32, culprit: u32) -> Vec<TracedFrame> {
        let frame =
            |line| TracedFrame { path: "a.py".to_owned(), line, culprit: line == culprit, ..TracedFrame::default() };
        (1..=count).map(frame).collect()
    }

    fn shape(steps: &[Step]) -> String {
        let one = |step: &Step| match step {
            Step::Call(call) if call.culprit => format!("*{}", call.line),
            Step::Call(call) => call.line.to_string(),
            Step::Fold { calls } => format!("({calls})"),
        };
        steps.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn long_tracebacks_fold_in_the_middle_and_keep_the_culprit() {
        let least = &DETAILS[3];
        assert_eq!(shape(&steps(&frames(6, 6), least)), "1 2 3 4 5 *6", "nothing is gained by folding one");
        assert_eq!(shape(&steps(&frames(10, 9), least)), "1 (5) 7 8 *9 10");
        assert_eq!(shape(&steps(&frames(10, 4), least)), "1 (2) *4 (2) 7 8 9 10");
        assert_eq!(shape(&steps(&frames(1000, 1), &DETAILS[0])).split(' ').count(), 41);
    }

    #[test]
    fn long_chains_keep_their_ends() {
        let link = |n: usize| TracedException {
            name: format!("E{n}"),
            relation: Some("Then:".to_owned()),
            ..TracedException::default()
        };
        let chain: Vec<_> = (0..9).map(link).collect();
        let shown = traceback(&chain, &DETAILS[3], true);
        assert_eq!(shown.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["E0", "E7", "E8"]);
        assert_eq!(shown[1].relation.as_deref(), Some("(6 exceptions of the chain left out) Then:"));
        assert_eq!(traceback(&chain[..3], &DETAILS[3], true).len(), 3);
    }

    #[test]
    fn a_heading_takes_the_beginning_of_a_long_message() {
        let mut alert = sample::alert();
        let mut head = |message: &str| {
            alert.message = Some(message.to_owned());
            let view = AlertView::new(&alert, &DETAILS[0], Medium::Mail, false);
            (view.message_head.unwrap_or_default(), view.message_continues)
        };
        assert_eq!(head("short"), ("short".to_owned(), false));
        assert_eq!(head("one\ntwo"), ("one".to_owned(), true));
        let (long, continues) = head(&"x".repeat(200));
        assert_eq!((long.chars().count(), continues), (160, true));
    }

    #[test]
    fn a_line_without_its_file_is_shown_alone() {
        let mut alert = sample::alert();
        alert.snippet.lines.clear();
        let view = AlertView::new(&alert, &DETAILS[0], Medium::Mail, false);
        assert_eq!(view.snippet.len(), 1);
        assert!(view.snippet[0].culprit && view.snippet[0].number == "42");
        alert.place.line = 0;
        alert.place.code.clear();
        alert.blame = None;
        alert.told.why.clear();
        let view = AlertView::new(&alert, &DETAILS[0], Medium::Mail, false);
        assert!(view.snippet.is_empty());
        assert_eq!(view.why, "You are told because nobody else could be found for this line.");
        assert_eq!(view.place, "shop/cart.py");
    }
}
