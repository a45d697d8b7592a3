//! Numbers that states and banks give to people, as far as form and check digits prove them: many
//! an order's number has eleven digits, too.

/// Whether it is such a number. `written` has the marks between its groups.
pub(super) fn is_one(joined: &str, written: &str) -> bool {
    let bytes = joined.as_bytes();
    let digits: Option<Vec<u8>> =
        bytes.iter().map(|byte| byte.is_ascii_digit().then(|| byte - b'0')).collect::<Option<_>>();
    match digits {
        Some(digits) => of_digits(&digits, written),
        None => with_letters(bytes, written),
    }
}

/// Luhn's check: the last digit proves the others.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit) * 2) {
            (0, _) => u32::from(*digit),
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The form of a text: `9` for a digit, `A` for a letter, marks as they are.
fn form(written: &str) -> String {
    let mark = |c: char| match c {
        c if c.is_ascii_digit() => '9',
        c if c.is_ascii_alphabetic() => 'A',
        c if c.is_whitespace() => ' ',
        c => c,
    };
    written.chars().take(40).map(mark).collect()
}

fn of_digits(digits: &[u8], written: &str) -> bool {
    if digits.iter().all(|digit| *digit == digits[0]) {
        return false;
    }
    match digits.len() {
        // Canada's, Sweden's and the Netherlands' are told from other numbers by their groups only.
        9 => form(written) == "999-999-999" && luhn(digits),
        10 => match form(written).as_str() {
            "999999-9999" => (is_day(&digits[2..6]) && luhn(digits)) || (is_day_first(digits) && finnish(digits)),
            "999 999 9999" => weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) == Some(digits[9]),
            _ => false,
        },
        11 => eleven(digits, written),
        12 => form(written) == "9999 9999 9999" && digits[0] >= 2 && verhoeff(digits),
        // Switzerland's begins with its country; Korea's has a day.
        13 => match form(written).as_str() {
            "999.9999.9999.99" => digits[..3] == [7, 5, 6] && ean(digits),
            "999999-9999999" => is_day(&digits[2..6]) && korean(digits),
            "9999999999999" => (digits[..3] == [7, 5, 6] && ean(digits)) || south_african(digits),
            "999999 9999 999" => south_african(digits),
            _ => false,
        },
        // France's: sex, year, month, department.
        15 => {
            let month = digits[3] * 10 + digits[4];
            matches!(digits[0], 1 | 2) && (1..=12).contains(&month) && {
                let number = digits[..13].iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(*digit));
                97 - number % 97 == u64::from(digits[13]) * 10 + u64::from(digits[14])
            }
        }
        18 => is_day(&digits[10..14]) && matches!(digits[6], 1 | 2) && chinese(&digits[..17]) == digits[17],
        _ => false,
    }
}

fn eleven(digits: &[u8], written: &str) -> bool {
    match form(written).as_str() {
        // Brazil.
        "999.999.999-99" => cpf(digits),
        // Belgium.
        "99.99.99-999.99" => {
            let number = digits[..9].iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(*digit));
            let check = u64::from(digits[9]) * 10 + u64::from(digits[10]);
            97 - number % 97 == check || 97 - (2_000_000_000 + number) % 97 == check
        }
        // Germany.
        "99 999 999 999" => iso_7064(digits),
        // Norway; Poland's with its day and its check digit; Germany's.
        "99999999999" => norwegian(digits) || (is_polish_day(digits) && pesel(digits)) || german(digits),
        "999999 99999" => norwegian(digits),
        _ => false,
    }
}

fn with_letters(bytes: &[u8], written: &str) -> bool {
    let upper = |at: usize| bytes[at].is_ascii_uppercase();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    let number =
        |range: std::ops::Range<usize>| bytes[range].iter().fold(0_u32, |sum, b| sum * 10 + u32::from(b - b'0'));
    match bytes.len() {
        // Spain: eight digits and a letter; X, Y or Z and seven digits for who came from elsewhere.
        9 if upper(8) && digits(0..8) => spanish(number(0..8)) == bytes[8],
        9 if upper(8) && digits(1..8) && matches!(bytes[0], b'X' | b'Y' | b'Z') => {
            spanish(u32::from(bytes[0] - b'X') * 10_000_000 + number(1..8)) == bytes[8]
        }
        // Finland: a day, a sign for the century, three digits and a character.
        10 if written.len() == 11 && written.as_bytes()[6] == b'-' && digits(0..9) => {
            FINNISH[(number(0..9) % 31) as usize] == bytes[9]
        }
        11 if digits(0..6) && matches!(bytes[6], b'A'..=b'F' | b'U'..=b'Y') && digits(7..10) => {
            FINNISH[((number(0..6) * 1_000 + number(7..10)) % 31) as usize] == bytes[10]
        }
        16 => italian(bytes),
        18 if digits(0..17) && matches!(bytes[17], b'X' | b'x') => {
            let digits: Vec<u8> = bytes[..17].iter().map(|byte| byte - b'0').collect();
            is_day(&digits[10..14]) && matches!(digits[6], 1 | 2) && chinese(&digits) == 10
        }
        _ => false,
    }
}

/// Finland's characters of check.
const FINNISH: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";

fn finnish(digits: &[u8]) -> bool {
    let number = digits[..9].iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    FINNISH[(number % 31) as usize] == digits[9] + b'0'
}

/// Day and month.
fn is_day_first(digits: &[u8]) -> bool {
    (1..=31).contains(&(digits[0] * 10 + digits[1])) && (1..=12).contains(&(digits[2] * 10 + digits[3]))
}

/// A day, whether a citizen, an 8 or 9, and Luhn's check: few moments in milliseconds have all
/// four.
fn south_african(digits: &[u8]) -> bool {
    is_day(&digits[2..6]) && digits[10] <= 2 && matches!(digits[11], 8 | 9) && luhn(digits)
}

/// Month and day.
fn is_day(digits: &[u8]) -> bool {
    (1..=12).contains(&(digits[0] * 10 + digits[1])) && (1..=31).contains(&(digits[2] * 10 + digits[3]))
}

/// Poland adds the century to the month.
fn is_polish_day(digits: &[u8]) -> bool {
    let month = (digits[2] * 10 + digits[3]) % 20;
    (1..=12).contains(&month) && (1..=31).contains(&(digits[4] * 10 + digits[5]))
}

fn sum(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
}

/// The check digit by weights and 11, where there is one.
fn weighted(digits: &[u8], weights: &[u32]) -> Option<u8> {
    let check = 11 - sum(digits, weights) % 11;
    u8::try_from(if check == 11 { 0 } else { check }).ok().filter(|check| *check < 10)
}

fn cpf(digits: &[u8]) -> bool {
    let check = |count: u32| {
        let sum: u32 = digits.iter().zip((2..=count).rev()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
        (sum * 10 % 11 % 10) as u8
    };
    check(10) == digits[9] && check(11) == digits[10]
}

fn pesel(digits: &[u8]) -> bool {
    (sum(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1])).is_multiple_of(10)
}

fn norwegian(digits: &[u8]) -> bool {
    let day = digits[0] * 10 + digits[1];
    let month = digits[2] * 10 + digits[3];
    (1..=31).contains(&day)
        && (1..=12).contains(&month)
        && weighted(digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2]) == Some(digits[9])
        && weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) == Some(digits[10])
}

/// Germany's, without groups: no zero first, and of the ten digits before the check one stands
/// there two or three times, the others once at most. Of other numbers, one in 250 has all that.
/// <https://www.zfa.bund.de/DE/SteuerlicheIdentifikationsnummer/steuerlicheidentifikationsnummer_node.html>
fn german(digits: &[u8]) -> bool {
    let mut counts = [0_u8; 10];
    digits[..10].iter().for_each(|digit| counts[usize::from(*digit)] += 1);
    let of = |wanted: std::ops::RangeInclusive<u8>| counts.iter().filter(|count| wanted.contains(count)).count();
    digits[0] != 0 && of(2..=3) == 1 && of(4..=10) == 0 && iso_7064(digits)
}

/// ISO/IEC 7064, MOD 11,10.
fn iso_7064(digits: &[u8]) -> bool {
    let product = digits[..10].iter().fold(10_u32, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == u32::from(digits[10])
}

fn ean(digits: &[u8]) -> bool {
    digits.iter().enumerate().map(|(at, digit)| u32::from(*digit) * if at % 2 == 0 { 1 } else { 3 }).sum::<u32>() % 10
        == 0
}

fn korean(digits: &[u8]) -> bool {
    (11 - sum(digits, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10 == u32::from(digits[12])
}

fn chinese(digits: &[u8]) -> u8 {
    let sum = sum(digits, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    ((12 - sum % 11) % 11) as u8
}

fn spanish(number: u32) -> u8 {
    b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize]
}

/// The codice fiscale: letters of the name, a day, a place, and a letter that proves it.
fn italian(bytes: &[u8]) -> bool {
    const FORM: &[u8; 16] = b"AAAAAA99A99A999A";
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let fits = bytes.iter().zip(FORM).all(|(byte, kind)| match kind {
        b'9' => byte.is_ascii_digit(),
        _ => byte.is_ascii_uppercase(),
    });
    if !fits {
        return false;
    }
    let value = |byte: u8| u32::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' });
    let sum: u32 = bytes[..15]
        .iter()
        .enumerate()
        .map(|(at, byte)| if at % 2 == 0 { ODD[value(*byte) as usize] } else { value(*byte) })
        .sum();
    sum % 26 == value(bytes[15])
}

/// Verhoeff's check, of India's numbers.
fn verhoeff(digits: &[u8]) -> bool {
    const PERMUTE: [[u8; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    // The dihedral group of a pentagon: turns 0 to 4, mirrored 5 to 9.
    let multiply = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a - 5 + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    digits.iter().rev().enumerate().fold(0, |check, (at, digit)| multiply(check, PERMUTE[at % 8][usize::from(*digit)]))
        == 0
}

#[cfg(test)]
mod tests {
    use super::is_one;

    #[test]
    fn check_digits_prove_numbers_of_persons() {
        for written in [
            "111.444.777-35",
            "12345678Z",
            "X1234567L",
            "131052-308T",
            "RSSMRA85T10A562S",
            "756.9217.0769.85",
            "2 55 08 14 168 025 38",
            "11010519491231002X",
            "811218-9876",
            "85.07.30-033.28",
            "86 095 742 719",
            "86095742719",
            "943 476 5919",
            "44051401458",
            "2341 2341 2346",
            "131052A308T",
            "8001015009087",
        ] {
            let joined: String = written.chars().filter(char::is_ascii_alphanumeric).collect();
            assert!(is_one(&joined, written), "{written}");
        }
        for written in [
            "111.444.777-36",
            "12345678A",
            "20261128193",
            "811218-9875",
            "86 095 742 718",
            "86095742718",
            "11111111118",
            "2341 2341 2347",
            "1710238522123",
            "8001015009086",
        ] {
            let joined: String = written.chars().filter(char::is_ascii_alphanumeric).collect();
            assert!(!is_one(&joined, written), "{written}");
        }
    }
}
