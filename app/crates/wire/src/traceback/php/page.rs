//! PHP's errors on a page: tags taken out, and Xdebug's table as it prints one without them.

use std::borrow::Cow;

/// What a page writes for signs.
const ENTITIES: [(&str, &str); 6] =
    [("&quot;", "\""), ("&#39;", "'"), ("&#039;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];

/// The text of a page's line.
pub(super) fn text(line: &str) -> Cow<'_, str> {
    if line.contains("<tr>") {
        return Cow::Owned(line.split("<tr>").map(row).collect::<Vec<_>>().join(" "));
    }
    let tags = ["<b>", "</b>", "<i>", "</i>", "<br />", "<br/>", "<br>"];
    let text = tags.iter().fold(Cow::Borrowed(line), |text: Cow<'_, str>, tag| {
        if text.contains(tag) { Cow::Owned(text.replace(tag, "")) } else { text }
    });
    Cow::Owned(signs(&text))
}

fn signs(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    ENTITIES.iter().fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

/// `<tr><td …>2</td>…<td …>f( … )</td><td title='/srv/a.php' …>…/a.php<b>:</b>12</td></tr>` as
/// `2. f() /srv/a.php:12`.
fn row(row: &str) -> String {
    let cells: Vec<&str> = row.split("<td").skip(1).collect();
    let [number, .., called, place] = cells[..] else {
        let said = without_tags(row);
        let said = said.trim();
        return match said {
            "Call Stack" => "Call Stack:".to_owned(),
            // The names of the columns say nothing.
            said if said.starts_with('#') => String::new(),
            said => said.trim_start_matches("( ! )").trim().to_owned(),
        };
    };
    let cell = |cell: &str| without_tags(&cell[cell.find('>').map_or(0, |end| end + 1)..]);
    let path = place.split_once("title='").and_then(|(_, rest)| rest.split_once('\''));
    let place = cell(place);
    let (shown, line) = place.trim().rsplit_once(':').unwrap_or((&place, ""));
    let path = path.map_or_else(|| shown.to_owned(), |(path, _)| signs(path));
    let called = cell(called);
    let name = called.split("( ").next().unwrap_or_default().trim_end_matches("()").trim().to_owned();
    format!("{}. {name}() {path}:{line}", cell(number).trim())
}

fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        let is_tag = tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        rest = if is_tag {
            // None of the rest is one, if this does not end.
            let Some((_, after)) = tag.split_once('>') else { return signs(&(out + "<" + tag)) };
            after
        } else {
            out.push('<');
            tag
        };
    }
    out.push_str(rest);
    signs(&out)
}
