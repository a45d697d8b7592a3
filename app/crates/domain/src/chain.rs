//! How the exceptions of a report hang together: which of them says where it failed, by what is
//! known of each client and language.
//!
//! Where nothing is known, the exception that was raised comes first, and its causes after it.
//! What is known:
//!
//! | who | what | so |
//! | --- | --- | --- |
//! | Go (sentry-go, `exception.go`) | the outermost error gets the stack of the capture call unless it has one; an inner one has a stack only where its package took one when it was made (`pkg/errors`, `go-errors`, `cockroachdb/errors`) | the innermost stack first, but none of a package's variable (its stack is the start of the program) |
//! | Python's pools (`multiprocessing`, `concurrent.futures`, `billiard`, `loky`) | the cause is a text: the worker's traceback | the worker's frames before the parent's |
//! | carriers (`CARRIERS`) | a runtime or framework raises them around whatever failed, and their own frames only say who waited or called | what they carry first |
//! | the JVM | a wrapper made of nothing but its cause has the cause's text as its message | the cause first |
//! | Kotlin's coroutines | an exception that crosses a coroutine is copied, with the original as its cause | the original first |
//! | groups ([`Exception::is_group`]) | they say where their members were gathered | members first |
//! | suppressed exceptions (`Throwable.getSuppressed`) | what failed while something else already did | last of all |

use super::report::{Exception, Frame, Platform, Report};

/// How a client names the link of an exception that was suppressed in favour of its parent.
pub const SUPPRESSED: &str = "suppressed";

/// Types that only carry what failed, by whole name; their cause says where. With a text: only
/// where the message begins with one of these, as applications raise the type themselves, too.
const CARRIERS: [(&str, &[&str]); 26] = [
    // .NET: documentation of System.Reflection, System.Threading.Tasks. Of an AggregateException
    // whose client knows no groups (sentry-dotnet before 3.32), the last cause.
    ("System.AggregateException", &[]),
    ("System.Reflection.TargetInvocationException", &[]),
    ("System.TypeInitializationException", &[]),
    // The JVM: java.util.concurrent, java.lang.reflect, class initialization, java.security.
    ("java.util.concurrent.ExecutionException", &[]),
    ("java.util.concurrent.CompletionException", &[]),
    ("java.lang.reflect.InvocationTargetException", &[]),
    ("java.lang.reflect.UndeclaredThrowableException", &[]),
    ("java.lang.ExceptionInInitializerError", &[]),
    ("java.security.PrivilegedActionException", &[]),
    // Spring: FrameworkServlet.processRequest, AbstractBeanFactory, listeners.
    ("org.springframework.web.util.NestedServletException", &[]),
    ("jakarta.servlet.ServletException", &["Request processing failed", "Handler dispatch failed"]),
    ("javax.servlet.ServletException", &["Request processing failed", "Handler dispatch failed"]),
    ("org.springframework.beans.factory.BeanCreationException", &[]),
    ("org.springframework.beans.factory.UnsatisfiedDependencyException", &[]),
    ("org.springframework.beans.BeanInstantiationException", &[]),
    ("org.springframework.kafka.listener.ListenerExecutionFailedException", &[]),
    ("org.springframework.amqp.rabbit.support.ListenerExecutionFailedException", &[]),
    // Reactor: Exceptions.propagate.
    ("reactor.core.Exceptions$ReactiveException", &[]),
    // Rails: ActionView::Template#handle_render_error. Its frames are its cause's.
    ("ActionView::Template::Error", &[]),
    // PHP: Twig's Template::yield and Laravel's CompilerEngine::handleViewException rethrow what a
    // template's code threw; Symfony's HandleMessageMiddleware what a handler did.
    ("Twig\\Error\\RuntimeError", &["An exception has been thrown during the rendering of a template"]),
    ("Illuminate\\View\\ViewException", &[]),
    ("Symfony\\Component\\Messenger\\Exception\\HandlerFailedException", &[]),
    // Python: tenacity raises it around the last attempt's; Celery around a task's.
    ("tenacity.RetryError", &[]),
    ("billiard.einfo.ExceptionWithTraceback", &[]),
    ("concurrent.futures.process._ExceptionWithTraceback", &[]),
    ("multiprocessing.pool.ExceptionWithTraceback", &[]),
];

/// Types of Go's errors that say nothing: what `fmt`, `errors` and `pkg/errors` make.
const SILENT_IN_GO: [&str; 7] = [
    "*fmt.wrapError",
    "*fmt.wrapErrors",
    "*errors.joinError",
    "*errors.withStack",
    "*errors.withMessage",
    "*errors.errorString",
    "*errors.fundamental",
];

/// Names of the exception whose text is a traceback of another process.
const REMOTE_TRACEBACKS: [&str; 2] = ["RemoteTraceback", "_RemoteTraceback"];

/// Whether an exception is the text of another process's traceback, by its type as it was sent.
pub fn is_remote_traceback(kind: &str) -> bool {
    REMOTE_TRACEBACKS.contains(&kind.rsplit('.').next().unwrap_or(kind))
}

/// The exceptions by how near they are to the failure, the nearest first.
pub fn in_order(report: &Report) -> Vec<usize> {
    let mut walk = Walk::new(report);
    if let Some(last) = report.exceptions.len().checked_sub(1) {
        walk.visit(last);
    }
    for index in (0..report.exceptions.len()).rev() {
        if !is_suppressed(&report.exceptions[index]) {
            walk.visit(index);
        }
    }
    // Suppressed ones, and what is known to say nothing.
    for index in (0..report.exceptions.len()).rev() {
        walk.visit(index);
    }
    walk.order.append(&mut walk.late);
    walk.order
}

/// The exception that was raised and, where it only carries, what it carries: those that its type
/// stands for, the outermost first.
pub fn raised_and_carried(report: &Report) -> Vec<&Exception> {
    report.exceptions.len().checked_sub(1).map_or_else(Vec::new, |last| with_carried(report, last))
}

/// An exception and, where it only carries, what it carries, as [`raised_and_carried`] of a report
/// that is about it alone.
pub fn with_carried(report: &Report, index: usize) -> Vec<&Exception> {
    let mut found = Vec::new();
    let mut at = Some(index);
    // As many steps as there are exceptions: ids that lead round in a circle end, too.
    while let Some(index) = at.filter(|_| found.len() < report.exceptions.len()) {
        found.push(&report.exceptions[index]);
        at = stands_for(report, index);
    }
    found
}

impl Report {
    /// Type of the exception, as people call it; `None` where there is no exception.
    pub fn exception_name(&self) -> Option<String> {
        naming(self).map(Exception::full_name)
    }

    /// Type and message in one line: what a title says.
    pub fn headline(&self) -> String {
        match self.exception_name() {
            Some(name) => match self.raised().and_then(|raised| raised.value.as_deref()?.lines().next()) {
                Some(value) if !value.is_empty() => format!("{name}: {value}"),
                _ => name,
            },
            None => self.message.clone().unwrap_or_else(|| "(no message)".to_owned()),
        }
    }
}

/// The exception whose type names the report: the raised one, but in Go the first inwards whose
/// type says something, else the innermost.
fn naming(report: &Report) -> Option<&Exception> {
    let raised = report.raised()?;
    if report.platform != Platform::Go || !is_silent(raised) {
        return Some(raised);
    }
    let chain = raised_and_carried(report);
    chain.iter().find(|exception| !is_silent(exception)).or(chain.last()).copied()
}

/// Characters of a cause's message in a sentence: the rest stands in the traceback.
const CAUSE_SHOWN: usize = 200;

/// Says what an exception was, where a line of its frames is blamed and another one, which it led
/// to, names the report.
pub fn cause_sentence(report: &Report, (index, frame): (usize, usize)) -> Option<String> {
    let exception = report.exceptions.get(index)?;
    let (is_last, is_raised_here) = (index + 1 == report.exceptions.len(), frame + 1 == exception.frames.len());
    let is_group = report.exceptions.iter().any(|exception| exception.is_group);
    if is_last || is_group || is_suppressed(exception) || is_remote_traceback(&exception.kind) {
        return None;
    }
    let mut words = exception.full_name();
    if let Some(value) = exception.value.as_deref().and_then(|value| value.lines().next()).filter(|it| !it.is_empty()) {
        let shown: String = value.chars().take(CAUSE_SHOWN).collect();
        words = format!("{words}: {shown}{}", if shown.len() < value.len() { "…" } else { "" });
    }
    let did = if is_raised_here { "raised" } else { "led to" };
    (words != report.headline()).then(|| format!("This line {did} {words}, which led to the error above."))
}

/// The leaves of the group that was raised, or that the raised exception carries, in its order;
/// empty where there is none. Groups in groups are taken apart.
pub fn members(report: &Report) -> Vec<usize> {
    let exceptions = &report.exceptions;
    let mut steps = 0;
    let mut at = exceptions.len().checked_sub(1);
    while let Some(index) = at.filter(|_| steps < exceptions.len()) {
        if exceptions[index].is_group {
            let mut leaves = Vec::new();
            leaves_of(report, index, &mut vec![false; exceptions.len()], &mut leaves);
            return leaves;
        }
        at = carried(report, index);
        steps += 1;
    }
    Vec::new()
}

fn leaves_of(report: &Report, index: usize, seen: &mut [bool], leaves: &mut Vec<usize>) {
    for member in members_of(&report.exceptions, index) {
        if std::mem::replace(&mut seen[member], true) {
            continue;
        }
        let before = leaves.len();
        if report.exceptions[member].is_group {
            leaves_of(report, member, seen, leaves);
        }
        if leaves.len() == before {
            leaves.push(member);
        }
    }
}

/// An exception and all that belongs to it: its causes, and theirs; itself the last.
pub fn with_causes(exceptions: &[Exception], index: usize) -> Vec<usize> {
    let mut belongs = vec![false; exceptions.len()];
    let mut open = vec![index];
    while let Some(at) = open.pop() {
        if !std::mem::replace(&mut belongs[at], true)
            && let Some(id) = exceptions[at].id
        {
            open.extend((0..exceptions.len()).filter(|&other| exceptions[other].parent == Some(id)));
        }
    }
    let causes = (0..exceptions.len()).filter(|&other| belongs[other] && other != index);
    causes.chain([index]).collect()
}

struct Walk<'a> {
    report: &'a Report,
    seen: Vec<bool>,
    order: Vec<usize>,
    /// What comes after everything else.
    late: Vec<usize>,
}

impl<'a> Walk<'a> {
    fn new(report: &'a Report) -> Self {
        Self { report, seen: vec![false; report.exceptions.len()], order: Vec::new(), late: Vec::new() }
    }

    /// Adds an exception after those that say more of where it failed. As deep as there are
    /// exceptions, of which a report has few.
    fn visit(&mut self, index: usize) {
        if std::mem::replace(&mut self.seen[index], true) {
            return;
        }
        let exception = &self.report.exceptions[index];
        if exception.is_group {
            for member in members_of(&self.report.exceptions, index) {
                self.visit(member);
            }
        }
        if let Some(cause) = carried(self.report, index) {
            self.visit(cause);
        }
        if self.report.platform == Platform::Go && was_made_at_start(exception) {
            self.late.push(index);
        } else {
            self.order.push(index);
        }
    }
}

/// Members of a group, in its order. They are listed with a number (`exceptions[0]`, `errors[0]`,
/// `InnerExceptions[0]`), which its cause is not.
pub(super) fn members_of(exceptions: &[Exception], index: usize) -> Vec<usize> {
    let Some(id) = exceptions[index].id else { return Vec::new() };
    let mut members: Vec<usize> = (0..exceptions.len())
        .filter(|&other| other != index && exceptions[other].parent == Some(id))
        .filter(|&other| exceptions[other].source.as_deref().is_none_or(|source| source.ends_with(']')))
        .collect();
    members.sort_by_key(|&other| exceptions[other].id);
    members
}

/// What led to an exception, or what that led to, and so on: the nearest first.
pub fn causes(report: &Report, index: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = cause_of(&report.exceptions, index);
    while let Some(cause) = at.filter(|cause| *cause != index && !found.contains(cause)) {
        found.push(cause);
        at = cause_of(&report.exceptions, cause);
    }
    found
}

/// What led to an exception: what names it as its parent, or where no exception names any, the one
/// before it.
fn cause_of(exceptions: &[Exception], index: usize) -> Option<usize> {
    let is_cause = |other: &usize| !is_suppressed(&exceptions[*other]);
    if exceptions.iter().all(|exception| exception.parent.is_none()) {
        return (0..index).rev().find(is_cause);
    }
    let id = exceptions[index].id?;
    let is_member = |other: usize| {
        exceptions[index].is_group && exceptions[other].source.as_deref().is_none_or(|source| source.ends_with(']'))
    };
    (0..exceptions.len())
        .rev()
        .filter(is_cause)
        .find(|&other| other != index && exceptions[other].parent == Some(id) && !is_member(other))
}

/// The cause that says more of where it failed than the exception itself.
fn carried(report: &Report, index: usize) -> Option<usize> {
    let cause = cause_of(&report.exceptions, index)?;
    let remote = &report.exceptions[cause];
    let is_remote = is_remote_traceback(&remote.kind) && !remote.frames.is_empty();
    (report.platform == Platform::Go || is_remote).then_some(cause).or_else(|| stands_for(report, index))
}

/// The cause whose type says what happened, where the exception's own says nothing.
fn stands_for(report: &Report, index: usize) -> Option<usize> {
    let cause = cause_of(&report.exceptions, index)?;
    let (exception, inner) = (&report.exceptions[index], &report.exceptions[cause]);
    let says_nothing = match report.platform {
        Platform::Go => is_silent(exception),
        Platform::Java => is_carrier(exception) || is_made_of(exception, inner) || is_recovered(exception, inner),
        _ => is_carrier(exception),
    };
    says_nothing.then_some(cause)
}

fn is_carrier(exception: &Exception) -> bool {
    let name = exception.full_name();
    CARRIERS.iter().any(|(carrier, texts)| {
        let says = |text: &&str| exception.value.as_deref().is_some_and(|value| value.starts_with(*text));
        *carrier == name && (texts.is_empty() || texts.iter().any(says))
    })
}

/// Whether a Java exception says nothing but its cause: `new RuntimeException(cause)` takes
/// `cause.toString()` for its message.
fn is_made_of(exception: &Exception, cause: &Exception) -> bool {
    let Some(message) = exception.value.as_deref() else { return false };
    let name = cause.dotted_name();
    match (message.strip_prefix(name.as_str()), cause.value.as_deref()) {
        (Some(""), None | Some("")) => true,
        (Some(rest), Some(value)) => rest.strip_prefix(": ").is_some_and(|rest| !value.is_empty() && rest == value),
        _ => false,
    }
}

/// Whether an exception is the copy that Kotlin's coroutines make of their cause.
fn is_recovered(exception: &Exception, cause: &Exception) -> bool {
    let is_boundary = |text: &Option<String>| {
        text.as_deref().is_some_and(|text| text.contains("_COROUTINE") || text.contains("Coroutine boundary"))
    };
    (&exception.kind, &exception.module, &exception.value) == (&cause.kind, &cause.module, &cause.value)
        && exception.frames.iter().any(|frame| is_boundary(&frame.module) || is_boundary(&frame.function))
}

/// Whether an error of Go's was made for a variable of a package: its stack ends in the package's
/// initialization (`init`; functions that are written as `init` are called `init.0`), or, where a
/// function of the program makes it, begins there.
fn was_made_at_start(exception: &Exception) -> bool {
    let is_runtime = |frame: &&Frame| {
        frame.module.as_deref() == Some("runtime")
            || frame.function.as_deref().is_some_and(|it| it.starts_with("runtime."))
    };
    let outermost = exception.frames.iter().find(|frame| !is_runtime(frame));
    // A method of that name is none: `(*Cart).init`.
    let is_init = |frame: &Frame| {
        let function = frame.function.as_deref().unwrap_or_default();
        function == "init" || (function.ends_with(".init") && !function.ends_with(").init"))
    };
    [outermost, exception.frames.last()].into_iter().flatten().any(is_init)
}

fn is_silent(exception: &Exception) -> bool {
    SILENT_IN_GO.contains(&exception.kind.as_str())
}

fn is_suppressed(exception: &Exception) -> bool {
    exception.source.as_deref() == Some(SUPPRESSED)
}

#[cfg(test)]
mod tests;
