//! A web server that reports what goes wrong with the request:
//! `FLAWLESS_DSN=… cargo run -p ingest-client --features tower --example web`, then
//! `curl localhost:8080/price/coffee` and `curl localhost:8080/share/0`.
#![expect(clippy::print_stderr, reason = "an example talks to a person")]

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ingest_client::tower::ReportLayer;

/// What the handlers fail with.
#[derive(Debug)]
struct UnknownItem(String);

impl std::fmt::Display for UnknownItem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} is not for sale", self.0)
    }
}

impl std::error::Error for UnknownItem {}

impl IntoResponse for UnknownItem {
    fn into_response(self) -> Response {
        (StatusCode::NOT_FOUND, self.to_string()).into_response()
    }
}

/// An error is reported where it is made: then this line is blamed.
async fn price(Path(item): Path<String>) -> Result<&'static str, UnknownItem> {
    if item == "tea" {
        return Ok("3");
    }
    let error = UnknownItem(item);
    ingest_client::capture_error(&error);
    Err(error)
}

/// A panic is reported by itself, with the line that panicked.
async fn share(Path(customers): Path<u32>) -> String {
    (12 / customers).to_string()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _reporting = ingest_client::init(ingest_client::Options::default())?;
    let app = Router::new()
        .route("/price/{item}", get(price))
        .route("/share/{customers}", get(share))
        .layer(ReportLayer::new());
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
