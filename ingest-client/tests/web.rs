//! Requests of a web service, with what goes wrong in them. Reporting is one for a process, so this is one test.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Request, Response, StatusCode};
use axum::routing::get;
use ingest_client::{Options, capture_error, flush, init};
use serde_json::Value;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tower_layer::Layer;
use tower_service::Service;

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A server that keeps the events that it is sent.
async fn server() -> (String, Arc<Mutex<Vec<Value>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&events);
    let take = async move |body: String| {
        let event = body.lines().nth(2).unwrap();
        kept.lock().unwrap().push(serde_json::from_str(event).unwrap());
        "{}"
    };
    let app = Router::new().route("/api/7/envelope/", axum::routing::post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dsn = format!("http://{KEY}@{}/7", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (dsn, events)
}

/// A service that ends with an error instead of an answer.
#[derive(Clone)]
struct Broken;

impl Service<Request<Body>> for Broken {
    type Response = Response<Body>;
    type Error = std::num::ParseIntError;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        std::future::ready(Err("many".parse::<u32>().unwrap_err()))
    }
}

fn request(path: &str) -> Request<Body> {
    let request = Request::get(format!("http://shop.example{path}")).header("host", "shop.example");
    request.header("authorization", "Bearer secret").header("x-trace", "7").body(Body::empty()).unwrap()
}

async fn ask(app: &Router, path: &str) -> Result<StatusCode, Infallible> {
    Ok(app.clone().call(request(path)).await?.status())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_requests_panics_and_errors_bear_the_request_and_are_reported_once() {
    let (dsn, events) = server().await;
    let _reporting = init(Options::with_dsn(dsn).release("v1")).unwrap();
    let app: Router = Router::new()
        .route("/fine", get(async || "fine"))
        .route("/failed", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route(
            "/handled/{n}",
            get(async |Path(n): Path<String>| {
                tokio::time::sleep(Duration::from_millis(20)).await;
                n.parse::<u32>().inspect_err(|error| _ = capture_error(error)).map_or(400, |_| 200).to_string()
            }),
        )
        .route("/panics", get(async || -> &'static str { panic!("the shelf is empty") }))
        .layer(ingest_client::tower::layer());
    assert_eq!(ask(&app, "/fine").await, Ok(StatusCode::OK));
    assert_eq!(ask(&app, "/failed").await, Ok(StatusCode::INTERNAL_SERVER_ERROR));
    let (one, two) = tokio::join!(ask(&app, "/handled/x"), ask(&app, "/handled/y"));
    assert_eq!((one, two), (Ok(StatusCode::OK), Ok(StatusCode::OK)));
    let panicking = app.clone();
    assert!(tokio::spawn(async move { ask(&panicking, "/panics").await }).await.unwrap_err().is_panic(), "passed on");
    let mut broken = ingest_client::tower::layer().layer(Broken);
    assert!(broken.call(request("/broken")).await.is_err(), "passed on");

    assert!(tokio::task::spawn_blocking(|| flush(Duration::from_secs(10))).await.unwrap());
    let events = events.lock().unwrap().clone();
    let mut told: Vec<(String, String)> = events
        .iter()
        .map(|event| {
            let headers = &event["request"]["headers"];
            assert_eq!(headers["x-trace"], "7");
            assert!(headers.get("authorization").is_none(), "a secret stays: {headers}");
            assert_eq!(event["request"]["method"], "GET");
            let kind = event["exception"]["values"][0]["type"].as_str().unwrap().to_owned();
            (event["request"]["url"].as_str().unwrap().to_owned(), kind)
        })
        .collect();
    told.sort();
    let expected = [
        ("broken", "ParseIntError"),
        ("handled/x", "ParseIntError"),
        ("handled/y", "ParseIntError"),
        ("panics", "panic"),
    ];
    let expected = expected.map(|(path, kind)| (format!("http://shop.example/{path}"), kind.to_owned()));
    assert_eq!(told, expected);
}
