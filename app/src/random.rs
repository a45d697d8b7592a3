//! Names and secrets that nobody can guess.

/// 32 hexadecimal digits, the form of an event's id.
pub(crate) fn random_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness the id is all zeroes, which harms nobody: nothing is looked up by it.
    let _ = getrandom::fill(&mut bytes);
    hex::encode(bytes)
}

/// 64 hexadecimal digits: a cookie's value, a token, a key to sign with.
///
/// # Errors
/// The system gives no randomness.
pub(crate) fn random_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_the_protocols_form() {
        let id = random_id();
        assert_eq!(wire::sentry_event::normal_event_id(&id), Some(id.clone()));
        assert_ne!(id, random_id());
    }
}
