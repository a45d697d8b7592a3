//! What a client calls itself.

/// The client as the query, the header of the SDKs or the user agent name it.
pub(super) fn client_name(query: Option<&str>, signed: Option<&str>, agent: Option<&str>) -> Option<String> {
    let parts = signed.into_iter().flat_map(|header| header.split([',', ' ']));
    let named = parts.filter_map(|part| part.trim().strip_prefix("sentry_client=")).next();
    let queried = || {
        let query = url::form_urlencoded::parse(query?.as_bytes());
        query.into_iter().find(|(name, _)| name == "sentry_client").map(|(_, value)| value.into_owned())
    };
    named.map(str::to_owned).or_else(queried).or_else(|| agent.map(str::to_owned))
}
