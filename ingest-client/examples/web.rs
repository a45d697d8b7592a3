//! A web service with a page that fails: `FLAWLESS_DSN=… cargo run -p ingest-client --example web`, then open
//! <http://127.0.0.1:8080/share/0>.
#![allow(clippy::print_stderr, reason = "an example talks to a person")]

use axum::Router;
use axum::extract::Path;
use axum::routing::get;

async fn share(Path(people): Path<u32>) -> String {
    // With nobody to share with, this is the line to blame.
    format!("each gets {}\n", 12 / people)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let reporting = ingest_client::init(ingest_client::Options::default())?;
    if !reporting.is_enabled() {
        eprintln!("nothing is reported: set FLAWLESS_DSN to the address that the repository's page shows");
    }
    let port = std::env::var("PORT").unwrap_or_else(|_| "8080".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    eprintln!("listening on http://{}/share/3", listener.local_addr()?);
    let app = Router::new().route("/share/{people}", get(share)).layer(ingest_client::tower::layer());
    Ok(axum::serve(listener, app).await?)
}
