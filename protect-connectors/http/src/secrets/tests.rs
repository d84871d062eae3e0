use std::io::Write as _;

use protect_core::secret::ExposeSecret as _;
use protect_core::testing::ManualClock;

use super::*;

const CANARY: &str = "canary-7f3a";

fn secrets() -> SystemSecrets {
    SystemSecrets::new(Arc::new(ManualClock::new()))
}

fn command(words: &[&str]) -> SecretRef {
    SecretRef::Command {
        command: words.iter().map(|&word| word.to_owned()).collect(),
    }
}

async fn read(reference: &SecretRef) -> Result<String> {
    let secret = secrets().resolve(reference).await?;
    Ok(secret.expose_secret().to_owned())
}

#[tokio::test]
async fn a_file_gives_its_content_less_the_last_line_break() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, " {CANARY} \r\n").unwrap();
    let reference = SecretRef::File {
        file: file.path().to_owned(),
    };
    assert_eq!(read(&reference).await.unwrap(), format!(" {CANARY} "));
}

#[tokio::test]
async fn an_environment_variable_that_is_not_set_is_named() {
    let error = read(&SecretRef::env("PROTECT_TEST_NOT_SET"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert!(error.to_string().contains("`PROTECT_TEST_NOT_SET`"));
}

#[tokio::test]
async fn an_environment_variable_gives_its_value() {
    assert!(!read(&SecretRef::env("PATH")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_command_runs_without_a_shell() {
    let words = ["echo", "$(id)", ";", "`id`"];
    assert_eq!(read(&command(&words)).await.unwrap(), "$(id) ; `id`");
}

#[tokio::test]
async fn a_failing_command_shows_neither_its_output_nor_its_arguments() {
    let script = format!("echo {CANARY}; echo {CANARY} >&2; exit 3");
    let error = read(&command(&["sh", "-c", &script])).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("command `sh`") && shown.contains("exit_status: 3"),
        "{shown}"
    );
    assert!(!shown.contains(CANARY), "{shown}");
}

#[tokio::test]
async fn a_command_that_hangs_is_ended_after_thirty_seconds() {
    let clock = Arc::new(ManualClock::new());
    let secrets = SystemSecrets::new(Arc::clone(&clock) as _);
    let reading = tokio::spawn(async move { secrets.resolve(&command(&["sleep", "600"])).await });
    while clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    clock.advance(COMMAND_LIMIT).await;
    assert_eq!(
        reading.await.unwrap().unwrap_err().kind(),
        ErrorKind::Timeout
    );
}

#[tokio::test]
async fn a_command_that_is_not_there_is_named() {
    let error = read(&command(&["protect-no-such-program"]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert!(error.to_string().contains("protect-no-such-program"));
}

#[tokio::test]
async fn an_empty_secret_is_an_error() {
    for words in [&["true"] as &[&str], &["echo"]] {
        let error = read(&command(words)).await.unwrap_err();
        assert_eq!(error.message(), "the secret is empty");
    }
}

#[tokio::test]
async fn values_and_both_sorts_of_callbacks_are_handed_over_by_name() {
    let secrets = secrets();
    secrets.provide("value", SecretString::from("one"));
    secrets.provide_with("callback", || Ok(SecretString::from("two\n")));
    secrets.provide_async("async", || async { Ok(SecretString::from("three")) });
    for (name, expected) in [("value", "one"), ("callback", "two"), ("async", "three")] {
        let secret = secrets.resolve(&SecretRef::provided(name)).await.unwrap();
        assert_eq!(secret.expose_secret(), expected);
    }
    secrets.withdraw("value");
    let error = secrets
        .resolve(&SecretRef::provided("value"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("provided secret `value`"));
}

#[tokio::test]
async fn a_callback_that_panics_is_an_error() {
    let secrets = secrets();
    secrets.provide_with("broken", || panic!("as a script's callback may"));
    let error = secrets
        .resolve(&SecretRef::provided("broken"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
}

#[tokio::test]
async fn a_key_vault_is_not_supported_yet() {
    let reference = SecretRef::KeyVault {
        key_vault: "https://name.vault.azure.net".to_owned(),
        name: "HIBP-API-KEY".to_owned(),
    };
    let error = read(&reference).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("HIBP-API-KEY"));
}

#[test]
fn debug_shows_no_secret() {
    let secrets = secrets();
    secrets.provide("name", SecretString::from(CANARY));
    assert!(!format!("{secrets:?}").contains(CANARY));
}
