//! The HTTP side of the fake GitHub: each request is recorded, held against the contract, let in,
//! hit by faults, answered.

use super::api::{Answered, Asked, Who, error};
use super::contract::Contract;
use super::world::World;
use super::{APP_ID, Fault, Recorded};
use app::clock::Clock;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// More than any request of the bot's.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// Seconds from now on until when an App's JWT may be valid, and by which it may come from the
/// future.
const JWT_LIFE_S: i64 = 600;
const JWT_FUTURE_S: i64 = 60;

/// What the server and the tests share.
pub struct Shared {
    pub world: Mutex<World>,
    pub contract: Contract,
    pub clock: Clock,
    pub key: DecodingKey,
    /// Whoever asked is to be killed.
    pub kill: tokio::sync::Notify,
}

impl Shared {
    /// The state, with its clock set: it goes on with the story's, and is not set back with it.
    pub fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let story = self.clock.now();
        let set_back = (world.story - story).max(SignedDuration::ZERO);
        world.ahead += set_back;
        world.story = story;
        world.now = story + world.ahead;
        self.do_what_is_late(&mut world);
        world
    }

    /// Does what was put off until now, each at its own moment.
    fn do_what_is_late(&self, world: &mut World) {
        let now = world.now;
        while let Some(at) = world.late.iter().position(|(due, _)| *due <= now) {
            let (due, received) = world.late.remove(at);
            world.now = due;
            world.work(&received, true, self);
            world.now = now;
        }
    }
}

pub async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
    let address = head.uri.path_and_query().map_or("/", |it| it.as_str()).to_owned();
    let received = Received::read(head.method.as_str(), &address, &head.headers, &body);
    let (operation, fault, index) = {
        let mut world = shared.world();
        let operation = received.check(&shared.contract, &mut world, shared.clock.now());
        let fault =
            operation.as_deref().and_then(|operation| take_fault(&mut world, operation, received.body.as_ref()));
        (operation, fault, world.requests.len() - 1)
    };
    if let Some(Fault::Delay(time)) = &fault {
        tokio::time::sleep(*time).await;
    }
    let mut answer = match &fault {
        Some(Fault::Status { status, headers, body }) => {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            Answered { status: *status, headers, body: body.clone() }
        }
        Some(Fault::Drop) => hang_up(),
        Some(Fault::Kill) => killed(&shared).await,
        Some(Fault::WorkLater(time)) => {
            let mut world = shared.world();
            let due = world.now + *time;
            world.late.push((due, received));
            drop(world);
            hang_up()
        }
        _ => shared.world().work(&received, operation.is_some(), &shared),
    };
    match fault {
        Some(Fault::DropAfterWork) => hang_up(),
        Some(Fault::KillAfterWork) => killed(&shared).await,
        Some(Fault::HangAfterWork(time)) => tokio::time::sleep(time).await,
        Some(Fault::Takes(time)) => shared.clock.advance(time),
        Some(Fault::AfterWork(status)) => answer = Answered { status, headers: Vec::new(), body: Value::Null },
        _ => {}
    }
    let mut world = shared.world();
    world.requests[index].status = answer.status;
    into_response(answer, world.date.unwrap_or(world.now))
}

/// Has whoever asked killed, and never answers.
async fn killed(shared: &Shared) -> ! {
    shared.kill.notify_one();
    std::future::pending::<()>().await;
    unreachable!("nothing ends this but the end of its connection")
}

/// Ends the connection without an answer. The server's task for this connection ends with it,
/// quietly.
fn hang_up() -> ! {
    std::panic::resume_unwind(Box::new("the fake GitHub hangs up"))
}

/// The first fault that was set for this operation, or for it with a field, as
/// `issues/update#state`.
fn take_fault(world: &mut World, operation: &str, body: Option<&Value>) -> Option<Fault> {
    let strikes = |name: &str| match name.split_once('#') {
        Some((name, field)) => name == operation && body.is_some_and(|body| body.get(field).is_some()),
        None => name == operation,
    };
    let at = world.faults.iter().position(|(name, _)| strikes(name))?;
    world.faults.remove(at).map(|(_, fault)| fault)
}

fn into_response(answer: Answered, now: Timestamp) -> Response {
    let date = jiff::Timestamp::from_millisecond(now.as_millis()).expect("a date");
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date).expect("a date");
    let mut response = Response::builder().status(answer.status).header("date", date);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let body = match answer.body {
        Value::Null => Body::empty(),
        // A fault's page that is no JSON.
        Value::String(text) => Body::from(text),
        json => {
            response = response.header("content-type", "application/json; charset=utf-8");
            Body::from(json.to_string())
        }
    };
    response.body(body).expect("a response")
}

/// A request as it came.
pub struct Received {
    method: String,
    /// Path and query as sent.
    address: String,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
    bearer: Option<String>,
    violations: Vec<String>,
}

impl Received {
    fn read(method: &str, address: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut violations = Vec::new();
        let mut demand = |holds: bool, what: &str| {
            if !holds {
                violations.push(what.to_owned());
            }
        };
        demand(header("x-github-api-version") == "2022-11-28", "X-GitHub-Api-Version is not 2022-11-28");
        demand(header("accept") == "application/vnd.github+json", "Accept is not application/vnd.github+json");
        demand(headers.get_all("user-agent").iter().count() == 1, "there is not one User-Agent");
        let parsed = (!body.is_empty()).then(|| serde_json::from_slice(body).ok());
        demand(parsed.as_ref().is_none_or(Option::is_some), "the body is no JSON");
        demand(body.is_empty() || header("content-type") == "application/json", "the content type is not JSON");
        Self {
            method: method.to_owned(),
            address: address.to_owned(),
            path: path.to_owned(),
            query,
            body: parsed.flatten(),
            bearer: header("authorization").strip_prefix("Bearer ").map(str::to_owned),
            violations,
        }
    }

    /// Records the request and what is wrong with it. The operation, where it is one.
    fn check(&self, contract: &Contract, world: &mut World, at: Timestamp) -> Option<String> {
        let mut violations = self.violations.clone();
        let matched = contract.check(&self.method, &self.named_path(world), &self.query, self.body.as_ref());
        if self.path.starts_with("/repositories/") && !world.offered.contains(&self.address) {
            violations.push("an address by number that no answer pointed to".to_owned());
        }
        let operation = match matched {
            Some(matched) => {
                violations.extend(matched.violations);
                Some(matched.operation)
            }
            None => {
                violations.push("no operation of GitHub's that we use".to_owned());
                None
            }
        };
        let (method, address) = (&self.method, &self.address);
        world.violations.extend(violations.into_iter().map(|it| format!("{method} {address}: {it}")));
        world.requests.push(Recorded {
            operation: operation.clone().unwrap_or_default(),
            method: self.method.clone(),
            query: self.query.clone(),
            body: self.body.clone().unwrap_or(Value::Null),
            token: self.bearer.clone().unwrap_or_default(),
            status: 0,
            at,
        });
        operation
    }

    /// `/repositories/ID/…`, where redirects and pages lead, written as `/repos/OWNER/NAME/…`.
    fn named_path(&self, world: &World) -> String {
        let Some(rest) = self.path.strip_prefix("/repositories/") else { return self.path.clone() };
        let (id, rest) = rest.split_once('/').map_or((rest, String::new()), |(id, rest)| (id, format!("/{rest}")));
        let it = id.parse::<u64>().ok().and_then(|id| world.repositories.get(&id));
        it.map_or_else(|| self.path.clone(), |it| format!("/repos/{}{rest}", it.full_name))
    }
}

impl World {
    fn work(&mut self, received: &Received, known: bool, shared: &Shared) -> Answered {
        let path = received.named_path(self);
        let matched = shared.contract.check(&received.method, &path, &received.query, received.body.as_ref());
        let (Some(matched), true) = (matched, known) else { return error(404, "Not Found") };
        if matched.operation == "apps/create-from-manifest" {
            // Asked by nobody: the code is what admits.
            return self.hand_over_app(&matched.params["code"]);
        }
        let who = match self.admit(received.bearer.as_deref(), shared) {
            Ok(who) => who,
            Err(refused) => return refused,
        };
        self.answer(&Asked {
            operation: &matched.operation,
            method: &received.method,
            address: &received.address,
            params: &matched.params,
            query: &received.query,
            body: received.body.as_ref(),
            who,
            token: received.bearer.as_deref().unwrap_or_default(),
        })
    }

    /// Who it is, by an installation's token or the App's JWT, which is really verified.
    fn admit(&mut self, bearer: Option<&str>, shared: &Shared) -> Result<Who, Answered> {
        let Some(bearer) = bearer else { return Err(error(401, "Requires authentication")) };
        if bearer.starts_with("ghs_") {
            let token = self.tokens.get(bearer).filter(|it| it.expires_at > self.now);
            return token.map(|it| Who::Installation(it.installation)).ok_or_else(|| error(401, "Bad credentials"));
        }
        if bearer.starts_with("ghu_") {
            return self.user_of(bearer).map(|_| Who::Person(())).ok_or_else(|| error(401, "Bad credentials"));
        }
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Value>(bearer, &shared.key, &validation)
            .map_err(|_| error(401, "A JSON web token could not be decoded"))?
            .claims;
        let number = |name: &str| claims[name].as_i64().unwrap_or_default();
        let now_s = self.now.as_seconds();
        let issuer = claims["iss"].as_u64().or_else(|| claims["iss"].as_str()?.parse().ok());
        if issuer != Some(APP_ID) {
            return Err(error(404, "Integration not found"));
        }
        let refused = |why: &str| Err(error(401, why));
        if number("exp") <= now_s {
            return refused(
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
            );
        }
        if number("exp") - now_s > JWT_LIFE_S {
            return refused("'Expiration time' claim ('exp') is too far in the future");
        }
        if number("iat") - now_s > JWT_FUTURE_S {
            return refused(
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            );
        }
        Ok(Who::App)
    }
}
