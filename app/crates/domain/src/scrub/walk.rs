//! Every place of a report in which a text can stand.

use super::cut::Limit;
use super::{FILTERED, Place};
use crate::report::{Exception, Frame, Member, Report, Request};
use serde_json::Value;
use std::collections::BTreeMap;

/// One place.
pub(super) enum Slot<'a, 'l> {
    /// A text by itself.
    Text {
        /// The text.
        text: &'a mut String,
        /// What it is.
        place: Place,
        /// How much of it is kept.
        limit: Limit,
    },
    /// A text with a name, as a header is.
    Named {
        /// Its name.
        name: &'a str,
        /// The text.
        text: &'a mut String,
    },
    /// Names and values.
    Map(&'a mut BTreeMap<String, Value>),
    /// Headers, whose values come by themselves.
    Headers(&'a mut BTreeMap<String, String>),
    /// A value that may have members.
    Value(&'a mut Value),
    /// Consecutive lines of code, which come by themselves, too.
    Code(&'a mut [&'l mut String]),
}

/// Visits every text of a report that its client chose. What is left out, such as the id and the
/// level, has been brought into a form of ours.
pub(super) fn each_slot(report: &mut Report, visit: &mut dyn FnMut(Slot<'_, '_>)) {
    let Report {
        event_id: _,
        timestamp: _,
        platform: _,
        level: _,
        release,
        revision,
        environment,
        server_name,
        transaction,
        logger,
        sdk,
        message,
        exceptions,
        member,
        left_out: _,
        request,
        additional,
        count: _,
        error_threshold: _,
    } = report;
    // What most people see comes first, the raised exception and its innermost frame, so that its
    // secrets are among those that are looked for in every form.
    for text in message.iter_mut() {
        visit(Slot::Text { text, place: Place::Text, limit: Limit::MESSAGE });
    }
    exceptions.iter_mut().rev().for_each(|exception| each_of_exception(exception, visit));
    request.iter_mut().for_each(|request| each_of_request(request, visit));
    visit(Slot::Map(additional));
    for text in transaction.iter_mut() {
        visit(Slot::Text { text, place: Place::Text, limit: Limit::NAME });
    }
    let group = member.as_mut().map(|Member { number: _, of: _, at_least: _, group }| group);
    let names = [release, revision, environment, server_name, logger, sdk].into_iter().flatten();
    for text in names.chain(group) {
        visit(name(text));
    }
}

fn name<'a>(text: &'a mut String) -> Slot<'a, 'static> {
    Slot::Text { text, place: Place::Name, limit: Limit::NAME }
}

fn each_of_exception(exception: &mut Exception, visit: &mut dyn FnMut(Slot<'_, '_>)) {
    let Exception { kind, module, value, handled: _, id: _, parent: _, source, is_group: _, frames } = exception;
    for text in value.iter_mut() {
        visit(Slot::Text { text, place: Place::Text, limit: Limit::MESSAGE });
    }
    frames.iter_mut().rev().for_each(|frame| each_of_frame(frame, visit));
    visit(name(kind));
    for text in [module, source].into_iter().flatten() {
        visit(name(text));
    }
}

fn each_of_frame(frame: &mut Frame, visit: &mut dyn FnMut(Slot<'_, '_>)) {
    let Frame {
        filename,
        abs_path,
        module,
        function,
        line: _,
        column: _,
        context_line,
        pre_context,
        post_context,
        vars,
        application,
        in_app: _,
        is_named: _,
    } = frame;
    visit(Slot::Map(vars));
    for text in [filename, abs_path, module, function, application].into_iter().flatten() {
        visit(name(text));
    }
    let mut lines: Vec<&mut String> =
        pre_context.iter_mut().chain(context_line.as_mut()).chain(post_context.iter_mut()).collect();
    visit(Slot::Code(&mut lines));
    for text in lines {
        visit(Slot::Text { text, place: Place::Code, limit: Limit::NAME });
    }
}

fn each_of_request(request: &mut Request, visit: &mut dyn FnMut(Slot<'_, '_>)) {
    let Request { url, method, query, headers, data } = request;
    for text in url.iter_mut() {
        visit(Slot::Text { text, place: Place::Text, limit: Limit::NAME });
    }
    for text in query.iter_mut() {
        visit(Slot::Text { text, place: Place::Text, limit: Limit::VALUE });
    }
    for text in method.iter_mut() {
        visit(name(text));
    }
    for (name, text) in headers.iter_mut() {
        visit(Slot::Named { name, text });
    }
    visit(Slot::Headers(headers));
    for value in data.iter_mut() {
        visit(Slot::Value(value));
    }
}

/// Hides the lines of a key that stands in code as a text of several lines.
pub(super) fn hide_blocks(lines: &mut [&mut String]) {
    let begins = |line: &str| line.contains("-----BEGIN") && line.contains("PRIVATE KEY");
    let ends = |line: &str| line.contains("-----END") && line.contains("PRIVATE KEY");
    if !lines.iter().any(|line| begins(line) || ends(line)) {
        return;
    }
    // Where the beginning is not among the lines, all of those before the end belong to it.
    let mut inside = lines.iter().position(|line| ends(line)) < lines.iter().position(|line| begins(line))
        || !lines.iter().any(|line| begins(line));
    for line in lines {
        let (starts, stops) = (begins(line), ends(line));
        let is_key = line.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
        if stops || (inside && is_key && !line.trim().is_empty()) {
            FILTERED.clone_into(line);
        }
        inside = (inside || starts) && !stops;
    }
}
