//! The layer in a web server, over HTTP: one report for each failure, with the request, and answers
//! as they were. Reporting is one for a process, so this is one test.
#![expect(clippy::unwrap_used, reason = "tests")]

mod receiver;

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use axum::routing::{get, post};
use ingest_client::tower::{BoxError, ReportLayer};
use ingest_client::{Options, capture_error, init};
use receiver::Server;
use serde_json::Value;
use tower::{Layer, Service, ServiceExt, service_fn};

/// The line that reports the error in `captured`.
const CAPTURED: u32 = 29;

async fn captured(headers: HeaderMap) -> (StatusCode, &'static str) {
    // Given away to the other requests, so that they are mixed up if they can be.
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(headers["x-shop"], "corner");
    let error = "many".parse::<u32>().unwrap_err();
    const { assert!(line!() + 1 == CAPTURED) };
    capture_error(&error);
    (StatusCode::BAD_REQUEST, "no amount")
}

async fn panics() -> &'static str {
    panic!("no change left")
}

/// Asks over HTTP; the answer, or none where the connection ended without one.
fn ask(url: &str, method: &str) -> Option<(u16, String)> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let request = Request::builder().method(method).uri(url).header("x-shop", "corner").header("cookie", "secret=1");
    let mut answer = agent.run(request.body(()).unwrap()).ok()?;
    Some((answer.status().as_u16(), answer.body_mut().read_to_string().unwrap()))
}

fn kind(event: &Value) -> (&str, &str) {
    let exception = &event["exception"]["values"].as_array().unwrap().last().unwrap();
    (exception["type"].as_str().unwrap(), exception["value"].as_str().unwrap())
}

fn request(event: &Value) -> (&str, &str) {
    (event["request"]["method"].as_str().unwrap_or(""), event["request"]["url"].as_str().unwrap_or(""))
}

#[tokio::test]
async fn panics_and_errors_are_reported_once_with_their_request() {
    let server = Server::start();
    let _reporting = init(Options::with_dsn(server.dsn())).unwrap();
    let app = Router::new()
        .route("/fine", get(async || "fine"))
        .route("/order", post(captured))
        .route("/panic", get(panics))
        .layer(ReportLayer::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    let asked = async |path: &str, method: &'static str| {
        let url = format!("{base}{path}");
        tokio::task::spawn_blocking(move || ask(&url, method)).await.unwrap()
    };

    let fine = async {
        for _ in 0..20 {
            assert_eq!(asked("/fine", "GET").await, Some((200, "fine".to_owned())));
        }
    };
    let (order, ()) = tokio::join!(asked("/order?of=tea", "POST"), fine);
    assert_eq!(order, Some((400, "no amount".to_owned())));
    let event = server.next().event();
    assert_eq!(kind(&event), ("ParseIntError", "invalid digit found in string"));
    assert_eq!(request(&event), ("POST", format!("{base}/order?of=tea").as_str()));
    assert_eq!(event["request"]["headers"]["x-shop"], "corner");
    assert!(event["request"]["headers"]["cookie"].is_null(), "{event}");
    let innermost = event["exception"]["values"][0]["stacktrace"]["frames"].as_array().unwrap().last().unwrap();
    let place = (innermost["filename"].as_str(), innermost["lineno"].as_u64());
    assert_eq!(place, (Some("layer.rs"), Some(u64::from(CAPTURED))), "{innermost}");

    assert_eq!(asked("/panic", "GET").await, None, "axum ends the connection");
    let event = server.next().event();
    assert_eq!(kind(&event), ("panic", "no change left"));
    assert_eq!(request(&event), ("GET", format!("{base}/panic").as_str()));

    // A service whose errors reach the layer; one that can't fail is served all the same.
    let plain = ReportLayer::new()
        .layer(service_fn(async |_: Request<Body>| Err::<Response<Body>, _>("many".parse::<u32>().unwrap_err())));
    let error = plain.oneshot(Request::get("http://shop.test/plain").body(Body::empty()).unwrap()).await.unwrap_err();
    assert_eq!(error, "many".parse::<u32>().unwrap_err());
    let event = server.next().event();
    assert_eq!((kind(&event).0, request(&event)), ("ParseIntError", ("GET", "http://shop.test/plain")));
    assert!(event["exception"]["values"][0]["stacktrace"].is_null(), "{event}");

    let mut boxed = ReportLayer::boxed().layer(service_fn(async |request: Request<Body>| match request.uri().path() {
        "/fine" => Ok(Response::new(Body::empty())),
        _ => Err::<_, BoxError>("the till is closed".into()),
    }));
    let to = |path: &str| Request::get(format!("http://shop.test{path}")).body(Body::empty()).unwrap();
    assert_eq!(boxed.ready().await.unwrap().call(to("/fine")).await.unwrap().status(), 200);
    assert_eq!(boxed.ready().await.unwrap().call(to("/till")).await.unwrap_err().to_string(), "the till is closed");
    let event = server.next().event();
    assert_eq!((kind(&event).1, request(&event)), ("the till is closed", ("GET", "http://shop.test/till")));

    let never = ReportLayer::new().layer(service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(()))));
    assert_eq!(never.oneshot(to("/")).await.unwrap().status(), 200);
    server.assert_quiet();
    // What was served is over; what is reported now has no request.
    capture_error(&"many".parse::<u32>().unwrap_err());
    assert_eq!(request(&server.next().event()), ("", ""));
}
