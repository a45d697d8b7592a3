//! A name's words.

/// Longer names are no variable's or header's: they are not looked at.
pub(super) const MAX_NAME: usize = 120;

/// Lower-case words of a name, split at everything that is no letter and at changes of case. Digits
/// at a word's end are left out: `password2` is a password too.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (index, &c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|i| chars.get(i));
        let after = chars.get(index + 1);
        // `authToken` splits before `T`; `CSRFToken` before the capital that a small letter
        // follows.
        let new_word = c.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if (new_word || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    words.push(word);
    words
        .into_iter()
        .map(|word| word.trim_matches(|c: char| c.is_ascii_digit()).to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}
