//! The style and the icon of the pages.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use render::asset;

/// `GET /static/{name}`.
pub(super) async fn file(Path(name): Path<String>) -> Response {
    let Some((kind, bytes)) = asset(&name) else { return StatusCode::NOT_FOUND.into_response() };
    // The address carries the version, so what is cached never grows old.
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, bytes).into_response()
}
