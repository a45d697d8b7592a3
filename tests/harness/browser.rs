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
    /// What a reader sees: the text without its tags, white space squeezed.
    pub fn seen(&self) -> String {
        let body = self.text.split_once("<main").map_or(self.text.as_str(), |(_, body)| body);
        let mut text = String::new();
        for part in body.split('<') {
            text.push(' ');
            text.push_str(part.split_once('>').map_or("", |(_, after)| after));
        }
        let text = unescaped(&text).split_whitespace().collect::<Vec<_>>().join(" ");
        // A tag ends no word.
        [" ,", " :"].iter().fold(text, |text, mark| text.replace(mark, &mark[1..]))
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let begin = format!("name=\"{name}\" value=\"");
        let rest = self.text.split_once(&begin).unwrap_or_else(|| panic!("no {name} in {}", self.text)).1;
        unescaped(rest.split_once('"').unwrap().0)
    }
}

pub fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#x27;", "'")
        .replace("&#39;", "'")
        .replace("&#x2f;", "/")
        .replace("&#x2F;", "/")
        .replace("&#34;", "\"")
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

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.http.post(format!("{}{path}", self.base));
        self.send(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }
}
