//! Another server that takes Sentry's envelopes, started by somebody, for figures side by side:
//! only its acknowledgements are counted.

use crate::client::{Load, Outcome, Target, drive};
use crate::event::Template;
use crate::process::{Usage, forget_peak, usage};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use url::Url;

/// The server, by its DSN.
#[derive(Clone)]
pub(crate) struct Peer {
    target: Target,
    pid: Option<u32>,
}

impl Peer {
    /// Of a DSN, and its process where CPU and memory are wanted.
    ///
    /// # Errors
    /// It is no DSN, or not of this machine: nobody else is to be put under load.
    pub(crate) fn new(dsn: &str, pid: Option<u32>, template: &Arc<Template>) -> Result<Self, String> {
        let url = Url::parse(dsn).map_err(|error| format!("--peer {dsn}: {error}"))?;
        let project = url.path().trim_matches('/').to_owned();
        let address = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80));
        let address: Option<SocketAddr> = address.to_socket_addrs().ok().and_then(|mut all| all.next());
        let address = address.filter(|address| address.ip().is_loopback() && url.scheme() == "http");
        let address = address.ok_or_else(|| format!("--peer {dsn}: only http:// on this machine is put under load"))?;
        if url.username().is_empty() || project.is_empty() {
            return Err(format!("--peer {dsn}: a DSN is http://KEY@HOST:PORT/PROJECT"));
        }
        let target = Target { address, project, key: url.username().to_owned(), template: Arc::clone(template) };
        Ok(Self { target, pid })
    }

    /// The load, and what it cost.
    ///
    /// # Errors
    /// What it refused.
    pub(crate) async fn take(&self, load: Load) -> Result<(Outcome, Usage), String> {
        let spent = || self.pid.map(usage).unwrap_or_default();
        self.pid.iter().for_each(|pid| forget_peak(*pid));
        let before = spent();
        let outcome = drive(&self.target, load).await;
        let after = spent();
        if let Some(refusal) = &outcome.refusal {
            return Err(format!("the peer refuses: {refusal}"));
        }
        let written = after.written.zip(before.written).map(|(after, before)| after - before);
        Ok((outcome, Usage { cpu: after.cpu - before.cpu, written, ..after }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Lines;

    #[test]
    fn only_this_machine_is_put_under_load() {
        let template = Arc::new(Template::new("3f1c9a7", Lines { hot: 1, lines: 2 }));
        let peer = Peer::new("http://abc@127.0.0.1:9000/7", None, &template).map(|peer| peer.target);
        let target = peer.unwrap();
        assert_eq!((target.key.as_str(), target.project.as_str(), target.address.port()), ("abc", "7", 9000));
        for dsn in [
            "http://abc@192.0.2.7:9000/7",
            "https://abc@127.0.0.1/7",
            "http://127.0.0.1/7",
            "http://abc@127.0.0.1/",
            "x",
        ] {
            assert!(Peer::new(dsn, None, &template).is_err(), "{dsn}");
        }
    }
}
