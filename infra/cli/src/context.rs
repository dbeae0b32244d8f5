//! Which server, which key, which tenant; and the calls that commands make there.
//!
//! A flag stands over the environment, and that over the login. A key is sent to the server that it was
//! kept for, and to no other: a URL given without a key takes none from a login at another URL.

use std::io::ErrorKind;
use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use waxseal_adapters::client::{Answer, Reach, is_this_machine};
use waxseal_adapters::tls::read_authorities;

use super::config::{Login, find_usual_path};
use super::failure::{CommandResult, Failure};
use super::output::{print, print_json_text, say};
use crate::client::{Call, Client};

/// Where the API is, and how answers look: of every command that asks a server.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server and output")]
pub(crate) struct Connection {
    /// The URL of the server that is asked.
    #[arg(
        id = "server",
        long = "url",
        visible_alias = "server",
        value_name = "URL",
        env = "WAXSEAL_URL",
        value_parser = filled("WAXSEAL_URL"),
        global = true
    )]
    pub(crate) server: Option<String>,
    /// The API key. An argument is in the list of processes: the variable, or `login`, is better.
    #[arg(
        id = "api_key",
        long = "key",
        value_name = "KEY",
        env = "WAXSEAL_KEY",
        hide_env_values = true,
        value_parser = filled("WAXSEAL_KEY"),
        global = true
    )]
    pub(crate) key: Option<String>,
    /// The tenant whose endpoints, events and keys are meant.
    #[arg(long, value_name = "TENANT", env = "WAXSEAL_TENANT", value_parser = filled("WAXSEAL_TENANT"), global = true)]
    pub(crate) tenant: Option<String>,
    /// The login's file, if not ~/.config/waxseal/config.json.
    #[arg(long, value_name = "FILE", env = "WAXSEAL_CONFIG", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Certificates (PEM) of authorities to trust beside Mozilla's.
    #[arg(
        id = "authorities",
        long = "ca-file",
        value_name = "FILE",
        env = "WAXSEAL_CA_FILE",
        global = true
    )]
    pub(crate) ca_file: Option<PathBuf>,
    /// Send the API key over plain http to other machines, too: everybody on the way can read it.
    #[arg(
        long, env = "WAXSEAL_ALLOW_PLAIN_HTTP", global = true, action = ArgAction::SetTrue,
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    pub(crate) allow_plain_http: bool,
    /// Print the API's JSON.
    #[arg(id = "as_json", long = "json", global = true)]
    pub(crate) json: bool,
    /// The same as --json, or tables.
    #[arg(short = 'o', long = "output", value_enum, default_value_t, global = true)]
    pub(crate) output: Form,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Tables and sentences, for people.
    #[default]
    Table,
    /// The JSON that the API answers with, for programs.
    Json,
}

/// Where the server and the key were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// By flags or the environment.
    Given,
    /// In the login's file.
    Login(PathBuf),
    /// In the data folder of an embedded server.
    Embedded(PathBuf),
}

/// What is known of the server before it is asked.
pub(crate) struct FoundServer {
    pub(crate) url: String,
    pub(crate) key: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) origin: Origin,
}

impl Connection {
    /// Where the login is, or would be.
    pub(crate) fn path(&self) -> Result<PathBuf, Failure> {
        self.config.clone().map_or_else(find_usual_path, Ok)
    }

    /// Whether answers are to be JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json || self.output == Form::Json
    }

    /// What flags, environment, login and the folder of this machine's server say, in this order; none where
    /// nothing says which server.
    pub(crate) fn find(&self, local: &LocalServer) -> Result<Option<FoundServer>, Failure> {
        let path = self.path()?;
        let login = Login::read(&path)?;
        let (given_url, given_key) = (self.server.clone(), self.key.clone());
        let is_same = |url: &str| {
            given_url
                .as_ref()
                .is_none_or(|own| own.trim_end_matches('/') == url.trim_end_matches('/'))
        };
        let tenant = self.tenant.clone();
        let found = if let Some(login) = login.filter(|login| is_same(&login.url)) {
            let (tenant, origin) = (tenant.or(login.tenant), Origin::Login(path));
            FoundServer { url: login.url, key: Some(login.key), tenant, origin }
        } else if is_same(&local.url)
            && let Some(key) = local.key(given_key.is_some())?
        {
            let origin = Origin::Embedded(local.key_file.clone());
            FoundServer { url: local.url.clone(), key: Some(key), tenant, origin }
        } else if let Some(url) = given_url {
            FoundServer { url, key: None, tenant, origin: Origin::Given }
        } else {
            return Ok(None);
        };
        Ok(Some(match given_key {
            Some(key) => FoundServer { key: Some(key), origin: Origin::Given, ..found },
            None => found,
        }))
    }

    /// Makes a client of a server. A key goes over plain `http` to this machine only, whatever `localhost`
    /// resolves to, unless a person said otherwise.
    pub(crate) fn client(&self, url: &str, key: &str) -> Result<Client, Failure> {
        let authorities = read_authorities(self.ca_file.as_deref()).map_err(Failure::Usage)?;
        let is_sealed = url.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("https:"));
        let is_guarded = !is_sealed && !key.is_empty() && !self.allow_plain_http;
        let reach = if is_guarded { Reach::Loopback } else { Reach::Any };
        let client = Client::within(reach, url, key, authorities).map_err(Failure::Usage)?;
        if is_guarded && !is_this_machine(url) {
            return Err(Failure::Usage(format!(
                "{url} is plain http, and everybody on the way could read the API key: use https, or \
                 say --allow-plain-http"
            )));
        }
        Ok(client)
    }
}

/// Makes the reader of an argument that the variable of this name may stand in for. Empty, it is not as if it were not
/// given: another server would be asked, or another tenant's endpoints changed, than the one that was meant.
pub(crate) fn filled(
    variable: &'static str,
) -> impl Fn(&str) -> Result<String, String> + Clone + Send + Sync + 'static {
    move |text| {
        let text = text.trim();
        let refused = || format!("neither it nor {variable} may be empty");
        (!text.is_empty()).then(|| text.to_owned()).ok_or_else(refused)
    }
}

/// The server that runs on this machine, or would: it is asked where no flag, variable or login names another.
#[derive(Clone, Debug)]
pub struct LocalServer {
    /// Where this machine reaches it.
    pub url: String,
    /// The file that holds its operator's API key, once it has started.
    pub key_file: PathBuf,
}

impl LocalServer {
    /// Reads the operator's API key; none where no server has started on that folder. A file that is there and
    /// cannot be read is a failure, but where another key is given, and this one is not needed.
    fn key(&self, is_other_given: bool) -> Result<Option<String>, Failure> {
        match std::fs::read_to_string(&self.key_file) {
            Ok(key) if key.trim().is_empty() => {
                let (file, how) = (self.key_file.display(), "it is empty");
                if is_other_given {
                    Ok(None)
                } else {
                    Err(Failure::Usage(format!("{file}: {how}")))
                }
            }
            Ok(key) => Ok(Some(key.trim().to_owned())),
            Err(error) if is_other_given || error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::Usage(format!("{}: {error}", self.key_file.display()))),
        }
    }
}

/// A server, ready to be asked.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) url: String,
    pub(crate) origin: Origin,
    pub(crate) json: bool,
    tenant: Option<String>,
}

impl Context {
    /// Finds the server, by what flags, environment and login say.
    pub(crate) fn open(connection: &Connection, local: &LocalServer) -> Result<Self, Failure> {
        let none = "no server is known: `waxseal login --url …`, or start one with `waxseal`";
        let found =
            connection.find(local)?.ok_or_else(|| Failure::Unauthorised(none.to_owned()))?;
        let keyless = format!("no key for {}: `waxseal login`, or WAXSEAL_KEY", found.url);
        let key = found.key.clone().ok_or(Failure::Unauthorised(keyless))?;
        if let Origin::Embedded(path) = &found.origin {
            say(&format!("waxseal: no login: asking {} with {}", found.url, path.display()));
        }
        let client = connection.client(&found.url, &key)?;
        let FoundServer { url, tenant, origin, .. } = found;
        Ok(Self { client, url, origin, json: connection.is_json(), tenant })
    }

    /// The tenant, where one is known.
    pub(crate) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Makes a path of the tenant, `/v1/tenants/acme/…`; its parts are escaped, `rest` is not.
    pub(crate) fn path(&self, rest: &str) -> Result<String, Failure> {
        let none = "which tenant? --tenant, WAXSEAL_TENANT, or `waxseal login --tenant …`";
        let tenant = self.tenant().ok_or_else(|| Failure::Usage(none.to_owned()))?;
        Ok(format!("/v1/tenants/{}{rest}", escape(tenant)))
    }

    /// Makes a call and returns its answer; one that is not 2xx is a failure.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Failure> {
        let answer = self.client.send(call).await?;
        if (200..=299).contains(&answer.status) { Ok(answer) } else { Err(Failure::of(&answer)) }
    }

    /// Prints an answer: the API's own JSON, or what `show` makes of it for people.
    pub(crate) fn show<T: DeserializeOwned>(
        &self,
        answer: &Answer,
        show: impl FnOnce(&T) -> String,
    ) -> CommandResult {
        if self.json {
            return print_json(answer);
        }
        print(&show(&read(answer)?))
    }

    /// Prints JSON where that was asked for, or text for people.
    pub(crate) fn print(&self, text: &str) -> CommandResult {
        if self.json { print_json_text(text) } else { print(text) }
    }

    /// Makes a call, and prints its answer.
    pub(crate) async fn send_and_show<T: DeserializeOwned>(
        &self,
        call: &Call,
        show: impl FnOnce(&T) -> String,
    ) -> CommandResult {
        let answer = self.send(call).await?;
        self.show(&answer, show)
    }
}

/// Prints an answer as the API wrote it, see [`print_json_text`].
pub(crate) fn print_json(answer: &Answer) -> CommandResult {
    let text = std::str::from_utf8(&answer.body);
    print_json_text(text.map_err(|_| Failure::Unavailable("the answer is not UTF-8".to_owned()))?)
}

/// Reads an answer as the API writes it.
pub(crate) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        let text = if error.is_data() {
            format!(
                "the answer is not what this command knows ({error}): is the server a newer one?"
            )
        } else {
            "the answer is not JSON: is the server's URL that of Waxseal?".to_owned()
        };
        Failure::Unavailable(text)
    })
}

/// What may stand in a path as it is, beside letters and digits.
const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');

/// Escapes what is to be one part of a path.
pub(crate) fn escape(part: &str) -> String {
    match part {
        // URLs take these as their own, escaped or not; escaped twice they are no name of anything.
        "." => "%252E".to_owned(),
        ".." => "%252E%252E".to_owned(),
        _ => utf8_percent_encode(part, UNRESERVED).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_that_cannot_be_read_is_not_as_if_no_server_had_started() {
        let local = |key_file: &str| LocalServer {
            url: "http://127.0.0.1:1".to_owned(),
            key_file: PathBuf::from(key_file),
        };
        assert!(matches!(local("no/such/file").key(false), Ok(None)));
        // A folder is there, and is no text.
        assert!(matches!(local("src").key(false), Err(Failure::Usage(_))));
        assert!(matches!(local("src").key(true), Ok(None)));
    }

    #[test]
    fn a_part_of_a_path_stays_one_part() {
        assert_eq!(escape("ep_1"), "ep_1");
        assert_eq!(escape("a/b?c#d%"), "a%2Fb%3Fc%23d%25");
        assert_eq!(escape(".."), "%252E%252E");
    }
}
