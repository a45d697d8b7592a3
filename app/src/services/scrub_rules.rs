//! What is secret in a repository's reports, ready to be looked for: made once for each change of
//! its settings.

use domain::ids::RepositoryId;
use domain::scrub::{Rules, ScrubSettings};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::ingest_keys::IngestAuth;
use store::{Store, StoreError};

/// The rules of every repository that reported since the start, some 300 KB each where it has its
/// own.
#[derive(Clone, Debug, Default)]
pub struct ScrubRules(Arc<Mutex<HashMap<RepositoryId, Known>>>);

/// A repository's rules, as of this rules generation.
#[derive(Clone, Debug)]
struct Known {
    rules_generation: i64,
    rules: RulesOf,
}

/// A repository's rules.
#[derive(Clone, Debug)]
pub enum RulesOf {
    /// It has none of its own.
    BuiltIn,
    /// Its settings add some, or take some back.
    Own(Arc<Rules>),
}

impl Deref for RulesOf {
    type Target = Rules;

    fn deref(&self) -> &Rules {
        match self {
            Self::BuiltIn => Rules::built_in(),
            Self::Own(rules) => rules,
        }
    }
}

impl RulesOf {
    fn of(settings: &ScrubSettings) -> Self {
        if *settings == ScrubSettings::default() { Self::BuiltIn } else { Self::Own(Arc::new(Rules::of(settings))) }
    }
}

impl ScrubRules {
    /// The rules by the last good settings; read where those changed since.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn current(&self, store: &Store, auth: IngestAuth) -> Result<RulesOf, StoreError> {
        if let Some(known) = self.lock().get(&auth.id).filter(|known| known.rules_generation == auth.rules_generation) {
            return Ok(known.rules.clone());
        }
        let row = store::repositories::by_id(store, auth.id).await?;
        let rules = row.map_or(RulesOf::BuiltIn, |row| RulesOf::of(&row.settings.scrub));
        let known = Known { rules_generation: auth.rules_generation, rules: rules.clone() };
        self.lock().insert(auth.id, known);
        Ok(rules)
    }

    /// The rules that were used last; nothing is read.
    pub fn remembered(&self, repository: RepositoryId) -> RulesOf {
        self.lock().get(&repository).map_or(RulesOf::BuiltIn, |known| known.rules.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RepositoryId, Known>> {
        // Nothing under this lock can panic half-way, so a poisoned one holds what it should.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
