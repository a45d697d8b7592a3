//! GitHub's own OpenAPI, for the operations that we use: every request is held against it.

use serde_json::{Map, Value};
use std::collections::HashMap;

const OPENAPI: &str = include_str!("../../data/github-openapi.json");

/// The operations, with their schemas compiled.
pub struct Contract {
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    segments: Vec<String>,
    path: Vec<Parameter>,
    query: Vec<Parameter>,
    body: Option<Body>,
}

struct Parameter {
    name: String,
    required: bool,
    integer: bool,
    schema: jsonschema::Validator,
}

struct Body {
    required: bool,
    known: Vec<String>,
    schema: jsonschema::Validator,
}

/// A request that is one of the operations.
pub struct Matched {
    /// Such as `issues/create`.
    pub operation: String,
    /// Path parameters, decoded.
    pub params: HashMap<String, String>,
    /// What GitHub's description does not allow.
    pub violations: Vec<String>,
}

impl Contract {
    pub fn load() -> Self {
        let openapi: Value = serde_json::from_str(OPENAPI).expect("the extract is JSON");
        let operations = openapi["operations"].as_object().expect("operations");
        Self { operations: operations.iter().map(|(id, it)| Operation::load(id, it)).collect() }
    }

    pub fn knows(&self, operation: &str) -> bool {
        self.operations.iter().any(|it| it.id == operation)
    }

    /// The operation of a request. `path` is percent-encoded, `query` decoded.
    pub fn check(&self, method: &str, path: &str, query: &[(String, String)], body: Option<&Value>) -> Option<Matched> {
        let segments: Vec<String> = path.trim_start_matches('/').split('/').map(decode).collect();
        let (operation, params) = self.operations.iter().filter(|it| it.method == method).find_map(|it| {
            let params = it.params(&segments)?;
            Some((it, params))
        })?;
        let violations = operation.violations(&params, query, body);
        Some(Matched { operation: operation.id.clone(), params, violations })
    }
}

impl Operation {
    fn load(id: &str, it: &Value) -> Self {
        let compile = |schema: &Value| {
            jsonschema::options().should_validate_formats(true).build(schema).expect("GitHub's schemas compile")
        };
        let parameters = |place: &str| -> Vec<Parameter> {
            let all = it["parameters"].as_array().expect("parameters").iter();
            all.filter(|parameter| parameter["in"] == place)
                .map(|parameter| Parameter {
                    name: parameter["name"].as_str().expect("a name").to_owned(),
                    required: parameter["required"] == true,
                    integer: parameter["schema"]["type"] == "integer",
                    schema: compile(&parameter["schema"]),
                })
                .collect()
        };
        let path = it["path"].as_str().expect("a path");
        let body = it.get("body").map(|body| {
            let mut known = Vec::new();
            properties(&body["schema"], &mut known);
            Body { required: body["required"] == true, known, schema: compile(&body["schema"]) }
        });
        Self {
            id: id.to_owned(),
            method: it["method"].as_str().expect("a method").to_owned(),
            segments: path.trim_start_matches('/').split('/').map(str::to_owned).collect(),
            path: parameters("path"),
            query: parameters("query"),
            body,
        }
    }

    fn params(&self, segments: &[String]) -> Option<HashMap<String, String>> {
        if segments.len() != self.segments.len() {
            return None;
        }
        let mut params = HashMap::new();
        for (pattern, segment) in self.segments.iter().zip(segments) {
            match pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => _ = params.insert(name.to_owned(), segment.clone()),
                None if pattern == segment => {}
                None => return None,
            }
        }
        Some(params)
    }

    fn violations(
        &self,
        params: &HashMap<String, String>,
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> Vec<String> {
        let mut found = Vec::new();
        for parameter in &self.path {
            parameter.check(params.get(&parameter.name).map(String::as_str), &mut found);
        }
        for parameter in &self.query {
            let value = query.iter().find(|(name, _)| *name == parameter.name).map(|(_, value)| value.as_str());
            parameter.check(value, &mut found);
        }
        for (name, _) in query {
            if !self.query.iter().any(|it| it.name == *name) {
                found.push(format!("query parameter `{name}` is unknown"));
            }
        }
        match (&self.body, body) {
            (Some(described), Some(body)) => described.check(body, &mut found),
            (Some(described), None) if described.required => found.push("the body is missing".to_owned()),
            (None, Some(_)) => found.push("a body where none belongs".to_owned()),
            _ => {}
        }
        found
    }
}

impl Parameter {
    fn check(&self, value: Option<&str>, found: &mut Vec<String>) {
        let Some(value) = value else {
            if self.required {
                found.push(format!("parameter `{}` is missing", self.name));
            }
            return;
        };
        let integer = value.parse::<i64>().ok().filter(|_| self.integer);
        let typed = integer.map_or_else(|| Value::from(value), Value::from);
        found.extend(self.schema.iter_errors(&typed).map(|error| format!("parameter `{}`: {error}", self.name)));
    }
}

impl Body {
    fn check(&self, body: &Value, found: &mut Vec<String>) {
        found
            .extend(self.schema.iter_errors(body).map(|error| format!("body at `{}`: {error}", error.instance_path())));
        // GitHub's schemas leave further properties open, which would let every misspelling pass.
        for name in body.as_object().map(Map::keys).into_iter().flatten() {
            if !self.known.contains(name) {
                found.push(format!("body property `{name}` is unknown"));
            }
        }
    }
}

/// The properties of a schema's object, through its alternatives.
fn properties(schema: &Value, known: &mut Vec<String>) {
    known.extend(schema["properties"].as_object().map(Map::keys).into_iter().flatten().cloned());
    for key in ["oneOf", "anyOf", "allOf"] {
        for alternative in schema[key].as_array().into_iter().flatten() {
            properties(alternative, known);
        }
    }
}

/// Percent-decodes one segment of a path.
fn decode(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| segment.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
