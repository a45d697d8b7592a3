//! The table of token forms: what a maker's tokens begin with, of what the rest is, and where its
//! maker says so. Where a maker shows the form only in its console, the lists that scanners keep
//! were compared: GitHub's "Supported secret scanning patterns" and the rules of
//! <https://github.com/gitleaks/gitleaks>.

/// One form.
pub(super) struct Form {
    /// What it begins with.
    pub(super) prefix: &'static str,
    /// Of which characters the rest is.
    pub(super) body: Body,
    /// Characters of the rest, at least. Below what is published where that is long, for texts are
    /// cut; not so far below that words are taken for it.
    pub(super) least: usize,
}

/// The characters of a token after its prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Letters and digits.
    Alnum,
    /// Letters, digits and `_`.
    Word,
    /// Letters, digits, `_` and `-`, as base64 for URLs.
    Url,
    /// As [`Body::Url`], with dots between parts.
    Dotted,
    /// Letters, digits, `+`, `/`, `=`, `_` and `-`.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// Hexadecimal digits and `-`, as a UUID.
    Uuid,
    /// Capitals and digits.
    Upper,
    /// The rest of a URL's path and its parameters.
    Path,
}

impl Body {
    /// Whether such a character is one.
    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Word => byte.is_ascii_alphanumeric() || byte == b'_',
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'='),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Uuid => byte.is_ascii_hexdigit() || byte == b'-',
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Path => byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | b')'),
        }
    }
}

const fn form(prefix: &'static str, body: Body, least: usize) -> Form {
    Form { prefix, body, least }
}

/// All forms.
#[rustfmt::skip]
pub(super) const FORMS: &[Form] = &[
    // GitHub:
    // https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
    form("ghp_", Body::Alnum, 16), form("gho_", Body::Alnum, 16), form("ghu_", Body::Alnum, 16),
    form("ghs_", Body::Dotted, 16), form("ghr_", Body::Alnum, 16),
    form("github_pat_", Body::Word, 16),
    // GitLab: https://docs.gitlab.com/security/tokens/#token-prefixes
    form("glpat-", Body::Dotted, 16), form("gloas-", Body::Dotted, 16),
    form("gldt-", Body::Dotted, 16), form("glrt-", Body::Dotted, 16),
    form("glrtr-", Body::Dotted, 16), form("glcbt-", Body::Dotted, 16),
    form("glptt-", Body::Dotted, 16), form("glft-", Body::Dotted, 16),
    form("glimt-", Body::Dotted, 16), form("glagent-", Body::Dotted, 16),
    form("glwt-", Body::Dotted, 16), form("glsoat-", Body::Dotted, 16),
    form("glffct-", Body::Dotted, 16), form("GR1348941", Body::Url, 16),
    // Slack: https://docs.slack.dev/authentication/tokens, and webhooks:
    // https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    form("xoxb-", Body::Url, 8), form("xoxp-", Body::Url, 8), form("xoxa-", Body::Url, 8),
    form("xoxr-", Body::Url, 8), form("xoxs-", Body::Url, 8), form("xoxc-", Body::Url, 8),
    form("xoxd-", Body::Base64, 8), form("xoxo-", Body::Url, 8), form("xoxe-", Body::Url, 8),
    form("xoxe.xoxp-", Body::Url, 8), form("xoxe.xoxb-", Body::Url, 8),
    form("xapp-", Body::Url, 16), form("xwfp-", Body::Url, 16),
    form("hooks.slack.com/services/", Body::Path, 16),
    form("hooks.slack.com/workflows/", Body::Path, 16),
    form("hooks.slack.com/triggers/", Body::Path, 16),
    form("hooks.slack-gov.com/services/", Body::Path, 16),
    // Discord: https://docs.discord.com/developers/resources/webhook
    form("discord.com/api/webhooks/", Body::Path, 30),
    form("discordapp.com/api/webhooks/", Body::Path, 30),
    // Microsoft Teams, Google Chat, Zapier, Make, IFTTT: who knows such an address may post to it
    form(".webhook.office.com/webhookb2/", Body::Path, 30),
    form("outlook.office.com/webhook/", Body::Path, 30),
    form("chat.googleapis.com/v1/spaces/", Body::Path, 30),
    form("hooks.zapier.com/hooks/catch/", Body::Path, 8),
    form("hook.eu1.make.com/", Body::Path, 16), form("hook.us1.make.com/", Body::Path, 16),
    form("maker.ifttt.com/trigger/", Body::Path, 16),
    // Stripe: https://docs.stripe.com/keys (pk_ is published by design)
    form("sk_live_", Body::Alnum, 8), form("sk_test_", Body::Alnum, 8),
    form("rk_live_", Body::Alnum, 8), form("rk_test_", Body::Alnum, 8),
    form("sk_org_", Body::Word, 16), form("whsec_", Body::Base64, 16),
    // Google: https://cloud.google.com/docs/authentication/api-keys and
    // https://developers.google.com/identity/protocols/oauth2
    form("AIza", Body::Url, 35), form("ya29.", Body::Dotted, 20), form("GOCSPX-", Body::Url, 20),
    form("1//0", Body::Url, 30), form("4/0A", Body::Url, 30),
    // AWS:
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    form("AKIA", Body::Upper, 16), form("ASIA", Body::Upper, 16), form("ABIA", Body::Upper, 16),
    form("ACCA", Body::Upper, 16), form("ABSK", Body::Base64, 40),
    form("amzn.mws.", Body::Uuid, 32),
    // Login with Amazon: https://developer.amazon.com/docs/login-with-amazon/access-token.html
    form("Atza|", Body::Base64, 40), form("Atzr|", Body::Base64, 40),
    // SendGrid, Twilio: https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys and
    // https://www.twilio.com/docs/iam/api-keys
    form("SG.", Body::Dotted, 20), form("SK0", Body::Hex, 31), form("SK1", Body::Hex, 31),
    form("SK2", Body::Hex, 31), form("SK3", Body::Hex, 31), form("SK4", Body::Hex, 31),
    form("SK5", Body::Hex, 31), form("SK6", Body::Hex, 31), form("SK7", Body::Hex, 31),
    form("SK8", Body::Hex, 31), form("SK9", Body::Hex, 31), form("SKa", Body::Hex, 31),
    form("SKb", Body::Hex, 31), form("SKc", Body::Hex, 31), form("SKd", Body::Hex, 31),
    form("SKe", Body::Hex, 31), form("SKf", Body::Hex, 31),
    // PyPI, npm, RubyGems, crates.io, NuGet, Packagist, Clojars:
    // https://docs.npmjs.com/about-access-tokens, https://guides.rubygems.org/api-key-scopes/
    form("pypi-Ag", Body::Url, 32), form("npm_", Body::Alnum, 30), form("rubygems_", Body::Hex, 32),
    form("cio", Body::Alnum, 32), form("oy2", Body::Alnum, 43), form("packagist_", Body::Word, 32),
    form("CLOJARS_", Body::Alnum, 32),
    // Anthropic, OpenAI and those that follow them:
    // https://platform.openai.com/docs/api-reference/authentication,
    // https://docs.anthropic.com/en/api/overview
    form("sk-", Body::Url, 16), form("sess-", Body::Alnum, 32), form("gsk_", Body::Alnum, 32),
    form("xai-", Body::Alnum, 32), form("pplx-", Body::Alnum, 32), form("r8_", Body::Alnum, 30),
    form("nvapi-", Body::Url, 32), form("tvly-", Body::Url, 20), form("pcsk_", Body::Word, 32),
    form("lsv2_pt_", Body::Word, 32), form("lsv2_sk_", Body::Word, 32),
    form("fw_", Body::Alnum, 20), form("voyage-", Body::Alnum, 32), form("key_", Body::Alnum, 40),
    // Hugging Face: https://huggingface.co/docs/hub/security-tokens
    form("hf_", Body::Alnum, 20), form("api_org_", Body::Alnum, 20),
    // DigitalOcean: https://docs.digitalocean.com/reference/api/create-personal-access-token/
    form("dop_v1_", Body::Hex, 32), form("doo_v1_", Body::Hex, 32), form("dor_v1_", Body::Hex, 32),
    // Shopify: https://shopify.dev/docs/apps/build/authentication-authorization
    form("shpat_", Body::Hex, 32), form("shpca_", Body::Hex, 32), form("shppa_", Body::Hex, 32),
    form("shpss_", Body::Hex, 32), form("shprt_", Body::Hex, 32), form("shpua_", Body::Hex, 32),
    // Square, PayPal, Braintree, Adyen, Plaid, Razorpay, Flutterwave, EasyPost, Shippo, Duffel:
    // https://developer.squareup.com/docs/build-basics/access-tokens
    form("sq0atp-", Body::Url, 20), form("sq0csp-", Body::Url, 40), form("EAAA", Body::Url, 56),
    form("access_token$", Body::Path, 20), form("AQE", Body::Base64, 80),
    form("access-sandbox-", Body::Uuid, 32), form("access-development-", Body::Uuid, 32),
    form("access-production-", Body::Uuid, 32), form("rzp_live_", Body::Alnum, 14),
    form("rzp_test_", Body::Alnum, 14), form("FLWSECK-", Body::Dotted, 20),
    form("FLWSECK_TEST-", Body::Dotted, 12), form("EZAK", Body::Alnum, 50),
    form("EZTK", Body::Alnum, 50), form("shippo_live_", Body::Hex, 32),
    form("shippo_test_", Body::Hex, 32), form("duffel_live_", Body::Url, 32),
    form("duffel_test_", Body::Url, 32),
    // Mollie and Lob: https://docs.mollie.com/reference/auth,
    // https://help.lob.com/account-management/api-keys (test_pub_ and live_pub_ are published)
    form("live_", Body::Alnum, 30), form("test_", Body::Alnum, 30),
    // Mailgun, Mailchimp's kin, Brevo, Resend, Postmark:
    // https://documentation.mailgun.com/docs/mailgun/user-manual/api-key-mgmt
    form("key-", Body::Hex, 32), form("xkeysib-", Body::Url, 40), form("xsmtpsib-", Body::Url, 40),
    form("re_", Body::Word, 24), form("md-", Body::Url, 22),
    // HashiCorp Vault and HCP: https://developer.hashicorp.com/vault/docs/concepts/tokens
    form("hvs.", Body::Url, 20), form("hvb.", Body::Url, 20), form("hvr.", Body::Url, 20),
    // age: https://github.com/C2SP/C2SP/blob/main/age.md
    form("AGE-SECRET-KEY-1", Body::Upper, 30), form("AGE-SECRET-KEY-PQ-1", Body::Upper, 30),
    form("AGE-PLUGIN-", Body::Url, 20),
    // Databricks: https://docs.databricks.com/en/dev-tools/auth/pat.html
    form("dapi", Body::Hex, 32), form("dose", Body::Hex, 32), form("dkea", Body::Hex, 32),
    // Doppler, 1Password, Bitwarden, Infisical:
    // https://docs.doppler.com/reference/auth-token-formats,
    // https://developer.1password.com/docs/service-accounts/
    form("dp.pt.", Body::Alnum, 32), form("dp.st.", Body::Dotted, 32),
    form("dp.ct.", Body::Alnum, 32), form("dp.sa.", Body::Alnum, 32),
    form("dp.scim.", Body::Alnum, 32), form("dp.audit.", Body::Alnum, 32),
    form("ops_eyJ", Body::Base64, 32),
    // Atlassian:
    // https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/
    form("ATATT3", Body::Base64, 32), form("ATCTT3", Body::Base64, 32),
    form("ATSTT3", Body::Base64, 32), form("ATBB", Body::Alnum, 28),
    // Linear, Notion, Airtable, Figma, Typeform, Postman, Asana:
    // https://developers.notion.com/reference/authentication, https://learning.postman.com/docs/
    form("lin_api_", Body::Alnum, 32), form("lin_oauth_", Body::Hex, 32),
    form("secret_", Body::Alnum, 40), form("ntn_", Body::Alnum, 32), form("pat", Body::Dotted, 70),
    form("figd_", Body::Url, 32), form("figu_", Body::Url, 32), form("figo_", Body::Url, 32),
    form("tfp_", Body::Url, 32), form("PMAK-", Body::Url, 32),
    // New Relic, Grafana, Dynatrace, Sentry, Honeycomb, SonarQube, Datadog:
    // https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/,
    // https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients
    form("NRAK-", Body::Upper, 20), form("NRII-", Body::Url, 20), form("NRRA-", Body::Hex, 32),
    form("glc_", Body::Base64, 32), form("glsa_", Body::Word, 32),
    form("dt0c01.", Body::Dotted, 40), form("dt0s01.", Body::Dotted, 40),
    form("dt0s02.", Body::Dotted, 40), form("dt0s16.", Body::Dotted, 40),
    form("sntrys_", Body::Base64, 32), form("sntryu_", Body::Hex, 32),
    form("sntrya_", Body::Hex, 32), form("hcaik_", Body::Alnum, 32),
    form("hcxik_", Body::Alnum, 32), form("sqp_", Body::Hex, 32), form("squ_", Body::Hex, 32),
    form("sqa_", Body::Hex, 32),
    // PlanetScale, Supabase, Neon, MongoDB, Upstash, Fly.io, Netlify, Vercel, Render, Heroku,
    // Railway: https://planetscale.com/docs/, https://supabase.com/docs/guides/api/api-keys,
    // https://fly.io/docs/security/tokens/, https://devcenter.heroku.com/articles/oauth
    form("pscale_tkn_", Body::Dotted, 30), form("pscale_pw_", Body::Dotted, 30),
    form("pscale_oauth_", Body::Dotted, 30), form("sbp_", Body::Hex, 32),
    form("sb_secret_", Body::Url, 20), form("napi_", Body::Alnum, 32),
    form("mdb_sa_sk_", Body::Url, 32), form("fm1_", Body::Base64, 32),
    form("fm1r_", Body::Base64, 32), form("fm2_", Body::Base64, 32), form("fo1_", Body::Url, 32),
    form("nfp_", Body::Alnum, 32), form("nfc_", Body::Alnum, 32), form("vcp_", Body::Word, 20),
    form("vci_", Body::Word, 20), form("vca_", Body::Word, 20), form("vcr_", Body::Word, 20),
    form("vck_", Body::Word, 20), form("rnd_", Body::Alnum, 20), form("HRKU-", Body::Url, 32),
    // Cloudflare, Docker Hub, JFrog, CircleCI, Buildkite, Pulumi, Terraform's kin, Prefect, Snyk:
    // https://developers.cloudflare.com/fundamentals/api/get-started/,
    // https://docs.docker.com/security/access-tokens/,
    // https://circleci.com/docs/managing-api-tokens/
    form("v1.0-", Body::Url, 60), form("cfut_", Body::Url, 32), form("cfat_", Body::Url, 32),
    form("cfk_", Body::Url, 32), form("dckr_pat_", Body::Url, 20), form("dckr_oat_", Body::Url, 20),
    form("AKCp", Body::Alnum, 60), form("cmVmdGtu", Body::Alnum, 40),
    form("CCIPAT_", Body::Word, 32), form("CCIPRJ_", Body::Word, 32), form("bkua_", Body::Hex, 32),
    form("bkaj_", Body::Word, 32), form("bkct_", Body::Word, 32), form("pul-", Body::Hex, 32),
    form("pnu_", Body::Alnum, 32), form("pnb_", Body::Alnum, 32),
    form("snyk_uat.", Body::Dotted, 32),
    // HubSpot, Segment, Mapbox, Dropbox, Facebook, Contentful, LaunchDarkly, PostHog, Intercom:
    // https://developers.hubspot.com/docs/apps/,
    // https://docs.mapbox.com/help/getting-started/access-tokens/
    form("pat-na1-", Body::Uuid, 32), form("pat-na2-", Body::Uuid, 32),
    form("pat-eu1-", Body::Uuid, 32), form("sgp_", Body::Word, 32),
    form("sk.eyJ", Body::Dotted, 40), form("sl.", Body::Dotted, 60), form("EAAC", Body::Alnum, 60),
    form("EAAB", Body::Alnum, 60), form("EAAG", Body::Alnum, 60), form("CFPAT-", Body::Url, 40),
    // Statsig: https://docs.statsig.com/access-management/api-keys
    form("secret-", Body::Alnum, 40),
    form("api-", Body::Uuid, 36), form("sdk-", Body::Uuid, 36), form("phx_", Body::Alnum, 32),
    // Tailscale, ngrok, Scaleway, Alibaba, Tencent, Yandex:
    // https://tailscale.com/kb/1085/auth-keys,
    // https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair
    form("tskey-", Body::Url, 20), form("LTAI", Body::Alnum, 16), form("AKID", Body::Alnum, 30),
    form("SCW", Body::Upper, 17), form("AQVN", Body::Url, 35), form("y0_", Body::Url, 39),
    form("t1.9", Body::Dotted, 60),
    // Infracost, ReadMe, Frame.io, Rootly, Sourcegraph, Lob's kin, Telegram's bots by name of their
    // address
    form("ico-", Body::Alnum, 32), form("rdme_", Body::Alnum, 60), form("fio-u-", Body::Url, 60),
    form("rootly_", Body::Hex, 60), form("slk_", Body::Hex, 60),
    form("api.telegram.org/bot", Body::Path, 30),
    // A SAML assertion or response in base64, which begins with `<saml`:
    // https://docs.oasis-open.org/security/saml/v2.0/saml-bindings-2.0-os.pdf
    form("PHNhbWx", Body::Base64, 80), form("PHNhbWw", Body::Base64, 80),
];
