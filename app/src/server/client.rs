//! Where a request comes from.

use super::settings::ServerSettings;
use crate::client_address::{ForwardedHeaders, group};
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// `X-Forwarded-For`, which every proxy knows.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// By which requests of one client are counted: see [`group`]. Behind a proxy of TRUSTED_PROXIES it
/// is the address that the proxy names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClientGroup(pub(super) IpAddr);

impl ClientGroup {
    /// Of this request. One whose peer nobody noted counts with all of its kind.
    pub(super) fn of(parts: &Parts, settings: &ServerSettings) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Self(group(settings.trusted_proxies.client(peer, &forwarded(&parts.headers))))
    }
}

fn forwarded(headers: &HeaderMap) -> ForwardedHeaders<'_> {
    // What is no text is no address either: it counts as one that hides who is behind it.
    let all = |name: &HeaderName| headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("")).collect();
    ForwardedHeaders { x_forwarded_for: all(&X_FORWARDED_FOR), forwarded: all(&header::FORWARDED) }
}
