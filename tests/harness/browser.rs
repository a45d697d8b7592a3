//! A browser as the stories need one: pages over real HTTP, one cookie, no redirect that nobody
//! looks at.

use super::story::Story;
use reqwest::redirect::Policy;

/// Admits to the pages of a story.
pub const TOKEN: &str = "admin-token-of-the-tests";

/// A browser: follows no redirect by itself, keeps the one cookie.
pub struct Browser {
    pub http: reqwest::Client,
    pub base: String,
    pub cookie: Option<String>,
    /// Sends the admin token itself, as machines do.
    pub bearer: bool,
}

pub struct Page {
    pub status: u16,
    pub location: String,
    pub set_cookie: String,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Page {
    /// What a reader sees of it.
    pub fn seen(&self) -> String {
        seen(self.text.split_once("<main").map_or(self.text.as_str(), |(_, body)| body))
    }

    /// Names and values of its fields that are no choices, as a browser posts them.
    pub fn fields(&self) -> Vec<(String, String)> {
        let attribute =
            |tag: &str, name: &str| Some(unescaped(tag.split_once(&format!("{name}=\""))?.1.split_once('"')?.0));
        let tags = self.text.split("<input ").skip(1).map(|rest| rest.split_once('>').unwrap().0);
        tags.filter(|tag| !tag.contains("radio"))
            .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default())))
            .collect()
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let begin = format!("name=\"{name}\" value=\"");
        let rest = self.text.split_once(&begin).unwrap_or_else(|| panic!("no {name} in {}", self.text)).1;
        unescaped(rest.split_once('"').unwrap().0)
    }
}

/// What a reader sees: a text without its tags, white space squeezed.
pub fn seen(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push(' ');
        text.push_str(part.split_once('>').map_or("", |(_, after)| after));
    }
    // A tag ends no word.
    [" ,", " :"].iter().fold(squeezed(&unescaped(&text)), |text, mark| text.replace(mark, &mark[1..]))
}

/// A text in one line.
pub fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands between two texts, the first of them the first in all.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap_or_else(|| panic!("no {after} in {rest}")).0
}

/// The path of the mail's link to one of our pages.
pub fn link_in(text: &str, path: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '>' | ')' | '"'));
    let mut links = words.filter_map(|word| word.strip_prefix("https://flawless.test"));
    links.find(|link| link.starts_with(path)).unwrap_or_else(|| panic!("no link to {path} in {text}")).to_owned()
}

pub fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#x27;", "'")
        .replace("&#39;", "'")
        .replace("&#x2f;", "/")
        .replace("&#x2F;", "/")
        .replace("&#34;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

impl Browser {
    pub fn new(story: &Story) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { http, base: story.url().to_owned(), cookie: None, bearer: false }
    }

    pub async fn signed_in(story: &Story) -> Self {
        let mut browser = Self::new(story);
        let page = browser.post("/login", &[("token", TOKEN), ("next", "/")]).await;
        assert_eq!((page.status, page.location.as_str()), (303, "/"), "{}", page.text);
        browser.cookie = Some(page.set_cookie.split(';').next().unwrap().to_owned());
        browser
    }

    /// The same person at another server.
    pub fn at(&self, url: &str) -> Self {
        Self { http: self.http.clone(), base: url.to_owned(), cookie: self.cookie.clone(), bearer: self.bearer }
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", format!("theme=dark; {cookie}")),
            None => request,
        };
        let request = if self.bearer { request.bearer_auth(TOKEN) } else { request };
        let response = request.send().await.unwrap();
        let header = |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        Page {
            status: response.status().as_u16(),
            location: header("location"),
            set_cookie: header("set-cookie"),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub async fn get(&self, path: &str) -> Page {
        self.send(self.http.get(format!("{}{path}", self.base))).await
    }

    /// A page that is there, as HTML.
    pub async fn open(&self, path: &str) -> String {
        let page = self.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        page.text
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.http.post(format!("{}{path}", self.base));
        self.send(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }
}
