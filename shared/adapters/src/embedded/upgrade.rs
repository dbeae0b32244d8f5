//! Brings documents of an older format to this one, when the file is opened.

use rusqlite::{Connection, params};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::secret::{Secret, SecretContext};
use waxseal_flows::ports::EngineError;

use super::failure::failure_at;
use super::key_file::KeyFile;
use super::schema;

const STEP: &str = "bring database to this format";

/// Takes each step that the file lacks, in one transaction. Repeated, it finds nothing to do.
pub(super) fn upgrade(connection: &Connection, key_file: &KeyFile) -> Result<(), EngineError> {
    let failed = failure_at(STEP);
    if schema::format(connection).map_err(&failed)? < 1 {
        // What was stored in the clear is overwritten, and not only given free.
        connection.execute_batch("PRAGMA secure_delete = ON; BEGIN IMMEDIATE").map_err(&failed)?;
        seal_headers(connection, key_file)?;
        connection.execute_batch("COMMIT; PRAGMA secure_delete = OFF").map_err(&failed)?;
    }
    schema::finish_upgrade(connection).map_err(failed)
}

/// Seals the values of endpoints' own headers that may be secrets.
fn seal_headers(connection: &Connection, key_file: &KeyFile) -> Result<(), EngineError> {
    for (row, document) in endpoints(connection).map_err(failure_at(STEP))? {
        // One that cannot be read is told where it is used, and loses nothing here.
        let Ok(endpoint) = serde_json::from_str::<Endpoint>(&document) else { continue };
        let Some(sealed) = seal_headers_of(endpoint, key_file)? else { continue };
        let document =
            serde_json::to_string(&sealed).map_err(|error| EngineError::unreadable(STEP, error))?;
        let sql = "UPDATE config SET doc = ?1 WHERE rowid = ?2";
        connection.execute(sql, params![document, row]).map_err(failure_at(STEP))?;
    }
    Ok(())
}

fn endpoints(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut statement =
        connection.prepare("SELECT rowid, doc FROM config WHERE kind = 'endpoint'")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// The endpoint with its headers sealed; none where there is nothing to seal.
fn seal_headers_of(
    mut endpoint: Endpoint,
    key_file: &KeyFile,
) -> Result<Option<Endpoint>, EngineError> {
    let secret = endpoint.take_secret_headers();
    if secret.is_empty() {
        return Ok(None);
    }
    for (name, value) in secret {
        let context = SecretContext::header(&endpoint.tenant, &endpoint.id, &name);
        let sealed = key_file.seal_now(&context, &Secret::new(value.into_bytes()))?;
        endpoint.sealed_headers.insert(name, sealed);
    }
    Ok(Some(endpoint))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::files;
    use super::*;

    #[test]
    fn headers_of_a_file_from_before_are_sealed_and_open_again() {
        let folder = tempfile::tempdir().unwrap();
        let key_file = KeyFile::new(&Secret::new(vec![7; 32])).unwrap();
        let connection = schema::open_writer(folder.path()).unwrap();
        let stored = json!({"id": "ep_1", "tenant": "acme", "url": "https://example.com/",
            "subscription": {"event_types": ["*"]}, "profile": "standard", "secrets": [],
            "state": {"state": "enabled"}, "health": "unverified", "version": 3, "created_at": 1,
            "updated_at": 1, "headers": {"accept": "text/plain", "x-api-key": "canary-key", "x-empty": ""}});
        let insert = "INSERT INTO config (kind, tenant, id, version, doc) VALUES ('endpoint', 'acme', ?1, 3, ?2)";
        connection.execute(insert, params!["ep_1", stored.to_string()]).unwrap();
        connection.execute(insert, params!["ep_2", "{\"damaged\": true}"]).unwrap();
        upgrade(&connection, &key_file).unwrap();

        let documents = endpoints(&connection).unwrap();
        assert_eq!(documents[1].1, "{\"damaged\": true}", "left as it was");
        let endpoint: Endpoint = serde_json::from_str(&documents[0].1).unwrap();
        let shown: Value = json!({"accept": "text/plain", "x-empty": ""});
        assert_eq!((json!(endpoint.headers), endpoint.version), (shown, 3));
        let context = SecretContext::header(&endpoint.tenant, &endpoint.id, "x-api-key");
        let opened = key_file.open_now(&context, &endpoint.sealed_headers["x-api-key"]).unwrap();
        assert_eq!(opened.expose(), b"canary-key");
        let other = SecretContext::header(&endpoint.tenant, &endpoint.id, "x-other");
        key_file.open_now(&other, &endpoint.sealed_headers["x-api-key"]).unwrap_err();

        schema::close(&connection).unwrap();
        let file = std::fs::read(folder.path().join(files::DATABASE)).unwrap();
        assert!(!file.windows(10).any(|part| part == b"canary-key"), "nothing is left in the file");
    }
}
