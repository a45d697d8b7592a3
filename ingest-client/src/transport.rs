//! How reports leave: HTTP with a time limit, TLS by ring and the certificates that the machine
//! trusts.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use sentry::transports::{UreqHttpTransport, UreqHttpTransportOptions};
use sentry::{Envelope, Transport, TransportFactory, TransportOptions};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

/// One report may take this long. Without a limit, a server that accepts connections and never
/// answers would hold the sending thread, and with it every later report, for ever.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes the transport; proxies come from the usual variables (`HTTPS_PROXY`, `NO_PROXY` …), as
/// ureq reads them.
pub(crate) struct Factory;

impl TransportFactory for Factory {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        let options: UreqHttpTransportOptions = options.into();
        Arc::new(Detached(Some(options.with_agent(agent(REQUEST_TIMEOUT)).build())))
    }
}

/// A transport whose end holds nobody: sentry's own waits for the request that is under way, so
/// that a silent server would hold the end of the program for the whole of [`REQUEST_TIMEOUT`].
struct Detached(Option<UreqHttpTransport>);

impl Transport for Detached {
    fn send_envelope(&self, envelope: Envelope) {
        if let Some(transport) = &self.0 {
            transport.send_envelope(envelope);
        }
    }

    fn flush(&self, timeout: Duration) -> bool {
        self.0.as_ref().is_none_or(|transport| transport.flush(timeout))
    }

    fn shutdown(&self, timeout: Duration) -> bool {
        self.0.as_ref().is_none_or(|transport| transport.shutdown(timeout))
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        let Some(transport) = self.0.take() else { return };
        // Where no thread can be had, what is not dropped in the closure is dropped here, and
        // waits.
        let _ = thread::Builder::new().name("flawless-end".into()).spawn(move || drop(transport));
    }
}

/// An HTTP client whose requests end by then.
pub(crate) fn agent(timeout: Duration) -> Agent {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::PlatformVerifier)
        // Given by hand, so that a program with another provider, or with two, is not asked to
        // choose one.
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    Agent::config_builder().timeout_global(Some(timeout)).tls_config(tls).build().new_agent()
}
