//! An event made a report: everything read, within bounds.

use super::{Event, Exception, Frame, Sdk, Text};
use crate::domain::report::{Exception as DomainException, Frame as DomainFrame, Platform, Report, Request};
use crate::wire::lenient::Raw;
use crate::wire::limits::{
    CONTEXT_LINES, LINE_BYTES, MESSAGE_CHARS, NAME_BYTES, VALUE_ENTRIES, VARIABLES, clip, clip_value, fit, head,
};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Contexts that SDKs fill in by themselves: the machine's and the client's, not the application's. `flawless` is read as
/// the count.
const SDK_CONTEXTS: &[&str] = &[
    "app",
    "browser",
    "cloud_resource",
    "culture",
    "device",
    "flawless",
    "gpu",
    "os",
    "otel",
    "profile",
    "replay",
    "response",
    "runtime",
    "rust",
    "trace",
];

impl Event<'_> {
    /// The whole report, within the bounds of [`limits`](crate::wire::limits). `event_id` is empty where the client
    /// sent none.
    pub fn into_report(self) -> Report {
        let platform = self.platform();
        let exceptions =
            self.exceptions.kept.iter().map(|exception| self.domain_exception(exception, platform)).collect();
        let mut report = Report {
            event_id: self.event_id().unwrap_or_default(),
            timestamp_ms: self.timestamp_ms(),
            platform,
            level: self.level().to_owned(),
            release: self.release().map(str::to_owned),
            revision: self.revision(),
            environment: self.environment().map(str::to_owned),
            server_name: self.server_name().map(str::to_owned),
            transaction: self.transaction().map(str::to_owned),
            logger: self.logger().map(str::to_owned),
            sdk: sdk(&self.sdk),
            message: self.message(),
            exceptions,
            request: object(self.request).map(request),
            additional: self.additional(),
            count: self.count(),
            error_threshold: self.error_threshold(),
        };
        fit(&mut report);
        report
    }

    fn domain_exception(&self, exception: &Exception<'_>, platform: Platform) -> DomainException {
        let mechanism = &exception.mechanism;
        DomainException {
            kind: head(exception.kind_name(), NAME_BYTES).to_owned(),
            module: owned(&exception.module, NAME_BYTES),
            value: self.value_of(exception),
            handled: mechanism.handled.0,
            id: mechanism.id.as_u32(),
            parent: mechanism.parent.as_u32(),
            source: owned(&mechanism.source, NAME_BYTES),
            is_group: exception.is_group(),
            frames: exception.concerning(platform).iter().map(domain_frame).collect(),
        }
    }

    fn additional(&self) -> BTreeMap<String, Value> {
        let contexts = object(self.contexts).map(|mut contexts| {
            contexts.retain(|name, _| !SDK_CONTEXTS.contains(&name.as_str()));
            Value::Object(contexts)
        });
        let named = [
            ("user", self.user.and_then(|raw| read(raw.get()))),
            ("tags", self.tags.and_then(|raw| read(raw.get())).map(pairs_as_object)),
            ("extra", self.extra.and_then(|raw| read(raw.get()))),
            ("contexts", contexts),
        ];
        let is_empty = |value: &Value| match value {
            Value::Null => true,
            Value::Object(entries) => entries.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        named
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.filter(|value| !is_empty(value))?)))
            .map(|(name, value)| (name, clip_value(value)))
            .collect()
    }
}

fn sdk(sdk: &Sdk<'_>) -> Option<String> {
    let name = sdk.name.as_deref()?;
    let text = sdk.version.as_deref().map_or_else(|| name.to_owned(), |version| format!("{name}/{version}"));
    Some(head(&text, NAME_BYTES).to_owned())
}

fn domain_frame(frame: &Frame<'_>) -> DomainFrame {
    let mut pre_context = lines(frame.pre_context);
    pre_context.drain(..pre_context.len().saturating_sub(CONTEXT_LINES));
    let mut post_context = lines(frame.post_context);
    post_context.truncate(CONTEXT_LINES);
    DomainFrame {
        filename: owned(&frame.filename, NAME_BYTES),
        abs_path: owned(&frame.abs_path, NAME_BYTES),
        module: owned(&frame.module, NAME_BYTES),
        function: owned(&frame.function, NAME_BYTES),
        line: frame.line.as_u32(),
        column: frame.column.as_u32(),
        context_line: owned(&frame.context_line, LINE_BYTES),
        pre_context,
        post_context,
        vars: variables(frame.vars),
        in_app: frame.in_app.0,
    }
}

fn owned(text: &Text<'_>, bytes: usize) -> Option<String> {
    text.as_deref().map(|text| head(text, bytes).to_owned())
}

/// Reads what was left as sent. A reader's limits (128 levels of nesting) are no reason to lose the report.
fn read(json: &str) -> Option<Value> {
    serde_json::from_str(json).ok()
}

fn object(raw: Raw<'_>) -> Option<Map<String, Value>> {
    match read(raw?.get())? {
        Value::Object(entries) => Some(entries),
        _ => None,
    }
}

fn lines(raw: Raw<'_>) -> Vec<String> {
    match raw.and_then(|raw| read(raw.get())) {
        Some(Value::Array(lines)) => lines
            .into_iter()
            .map(|line| match line {
                Value::String(text) => head(&text, LINE_BYTES).to_owned(),
                _ => String::new(),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn variables(raw: Raw<'_>) -> BTreeMap<String, Value> {
    let all = object(raw).unwrap_or_default();
    all.into_iter()
        .take(VARIABLES)
        .map(|(name, value)| (head(&name, NAME_BYTES).to_owned(), clip_value(value)))
        .collect()
}

/// Tags as an object, also where they came as a list of pairs.
fn pairs_as_object(tags: Value) -> Value {
    let Value::Array(pairs) = tags else { return tags };
    let pair = |pair| match pair {
        Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
            Ok([Value::String(name), value]) => Some((name, value)),
            _ => None,
        },
        Value::Object(mut pair) => match pair.remove("key") {
            Some(Value::String(name)) => Some((name, pair.remove("value").unwrap_or_default())),
            _ => None,
        },
        _ => None,
    };
    Value::Object(pairs.into_iter().filter_map(pair).collect())
}

fn request(mut request: Map<String, Value>) -> Request {
    let mut take = |name: &str| request.remove(name).filter(|value| !value.is_null());
    let short = |value: Value, chars| clip(Cow::Owned(plain(value)), chars);
    let headers = take("headers").map(pairs_as_object);
    Request {
        url: take("url").map(|url| short(url, LINE_BYTES)),
        method: take("method").map(|method| short(method, NAME_BYTES)),
        query: take("query_string").map(|query| short(query_string(query), LINE_BYTES)),
        headers: match headers {
            Some(Value::Object(headers)) => headers
                .into_iter()
                .take(VALUE_ENTRIES)
                .map(|(name, value)| (head(&name, NAME_BYTES).to_owned(), short(value, LINE_BYTES)))
                .collect(),
            _ => BTreeMap::new(),
        },
        data: take("data").map(|data| match data {
            // A body that the client did not parse: longer than a variable may be.
            Value::String(text) => Value::String(clip(Cow::Owned(text), MESSAGE_CHARS)),
            parsed => clip_value(parsed),
        }),
    }
}

/// A query string: as sent, or put together again from an object or pairs.
fn query_string(query: Value) -> Value {
    match pairs_as_object(query) {
        Value::Object(entries) => {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in entries {
                query.append_pair(&name, &plain(value));
            }
            Value::String(query.finish())
        }
        query => query,
    }
}

/// Text as it is, anything else as JSON; headers of several values come as lists.
fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Array(items) => items.into_iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
