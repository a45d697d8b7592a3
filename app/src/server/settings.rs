//! What the server needs to know beside the services.

use crate::client_address::TrustedProxies;
use crate::services::admin_token::TokenOrigin;
use domain::key_limits::DefaultLimits;
use domain::secret::Secret;
use domain::signature::Signer;

/// What the server needs to know beside the services.
#[derive(Clone)]
pub struct ServerSettings {
    /// Address that people reach the server by; a path in it is the prefix of every route.
    pub public_url: String,
    /// Admits to the pages.
    pub admin_token: Secret,
    /// Where that is from.
    pub token_origin: TokenOrigin,
    /// Admits to the metrics, and to nothing else.
    pub metrics_token: Option<Secret>,
    /// Whose word on where a request comes from is taken.
    pub trusted_proxies: TrustedProxies,
    /// Files and connections that the process may have open.
    pub descriptors: u64,
    /// How much keys may bring that have no limits of their own.
    pub key_limits: DefaultLimits,
    /// Signs cookies and forms.
    pub signer: Signer,
    /// The configuration for an admin to read, without its secrets.
    pub shown: Vec<(&'static str, String)>,
}
