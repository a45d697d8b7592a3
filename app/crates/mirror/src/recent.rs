//! A memory of what was used last, for several threads.

use clru::{CLruCache, CLruCacheConfig, WeightScale};
use std::hash::{Hash, RandomState};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps the values used last: so many that their number and their weights come to no more than its
/// capacity.
pub(super) struct Recent<K, V>(Mutex<Cache<K, V>>);

type Cache<K, V> = CLruCache<K, Weighed<V>, RandomState, Given>;

struct Weighed<V> {
    weight: usize,
    value: Arc<V>,
}

/// A value weighs what whoever put it in said.
struct Given;

impl<K, V> WeightScale<K, Weighed<V>> for Given {
    fn weight(&self, _: &K, value: &Weighed<V>) -> usize {
        value.weight
    }
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// A memory for this many values, or for values of this weight in all.
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        let config = CLruCacheConfig::new(capacity).with_scale(Given);
        Self(Mutex::new(CLruCache::with_config(config)))
    }

    /// The value of a key, which thereby is the one used last.
    pub(super) fn get(&self, key: &K) -> Option<Arc<V>> {
        self.cache().get(key).map(|known| Arc::clone(&known.value))
    }

    /// Remembers a value, forgetting those used longest ago; one heavier than the whole memory is
    /// not kept.
    pub(super) fn put(&self, key: K, weight: usize, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let _ = self.cache().put_with_weight(key, Weighed { weight, value: Arc::clone(&value) });
        value
    }

    fn cache(&self) -> MutexGuard<'_, Cache<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_goes_first() {
        let recent = Recent::new(NonZeroUsize::new(10).unwrap());
        recent.put("a", 4, 1);
        recent.put("b", 4, 2);
        assert_eq!(recent.get(&"a").as_deref(), Some(&1));
        recent.put("c", 4, 3);
        assert_eq!((recent.get(&"a").is_some(), recent.get(&"b").is_some()), (true, false));
        recent.put("huge", 11, 4);
        assert!(recent.get(&"huge").is_none() && recent.get(&"c").is_some());
    }
}
