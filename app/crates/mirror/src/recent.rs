//! A memory of what was used last, for several threads.

use clru::{CLruCache, CLruCacheConfig, WeightScale};
use std::collections::HashMap;
use std::hash::{Hash, RandomState};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Keeps the values used last: so many that their number and their weights come to no more than its
/// capacity.
pub(super) struct Recent<K, V> {
    cache: Mutex<Cache<K, V>>,
    /// The values that are being made: who wants one of them waits for it.
    made: Mutex<HashMap<K, Weak<Mutex<()>>>>,
}

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
        Self { cache: Mutex::new(CLruCache::with_config(config)), made: Mutex::default() }
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

    /// The value of a key, made with its weight where it is not remembered; once, whoever else
    /// wants it at the same time.
    pub(super) fn get_or_make<E>(&self, key: K, make: impl FnOnce() -> Result<(usize, V), E>) -> Result<Arc<V>, E>
    where
        K: Clone,
    {
        if let Some(known) = self.get(&key) {
            return Ok(known);
        }
        let turn = self.turn_of(&key);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.get(&key) {
            return Ok(known);
        }
        let (weight, value) = make()?;
        Ok(self.put(key, weight, value))
    }

    /// What is held by who makes the value of this key.
    fn turn_of(&self, key: &K) -> Arc<Mutex<()>>
    where
        K: Clone,
    {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = made.get(key).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::new(Mutex::new(()));
        made.insert(key.clone(), Arc::downgrade(&turn));
        turn
    }

    fn cache(&self) -> MutexGuard<'_, Cache<K, V>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn what_several_want_at_once_is_made_once() {
        let recent: Recent<&str, usize> = Recent::new(NonZeroUsize::new(10).unwrap());
        let made = AtomicUsize::new(0);
        let make = || {
            std::thread::sleep(Duration::from_millis(50));
            Ok::<_, ()>((1, made.fetch_add(1, Ordering::SeqCst)))
        };
        std::thread::scope(|threads| {
            let wanted: Vec<_> = (0..4).map(|_| threads.spawn(|| recent.get_or_make("a", make))).collect();
            for one in wanted {
                assert_eq!(one.join().unwrap().as_deref(), Ok(&0));
            }
        });
        assert_eq!(recent.get_or_make("b", || Err("broken")), Err("broken"));
        assert_eq!(recent.get_or_make("b", make).as_deref(), Ok(&1), "who comes next tries it anew");
    }

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
