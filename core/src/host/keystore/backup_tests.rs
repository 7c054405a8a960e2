//! Tests of the module beside it.

use super::*;
use crate::domain::id::to_hex;

fn passphrase() -> Passphrase {
    Passphrase::new("an der Ecke")
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    let mut writer = BackupWriter::begin(Vec::new(), &passphrase(), Cost::LEAST).unwrap();
    // In pieces that fit no chunk.
    for piece in plain.chunks(10_007) {
        writer.write(piece).unwrap();
    }
    writer.finish().unwrap()
}

fn opened(file: &[u8], length: usize) -> Result<Vec<u8>, BackupError> {
    let mut reader = BackupReader::begin(file, &passphrase())?;
    let bytes = reader.read(length)?.to_vec();
    reader.check()?;
    reader.end()?;
    Ok(bytes)
}

fn example(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

#[test]
fn what_is_sealed_opens_again_at_every_length() {
    for length in [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
        let plain = example(length);
        let file = sealed(&plain);
        let chunks = length.div_ceil(CHUNK_BYTES);
        assert_eq!(file.len(), HEAD_BYTES + length + chunks * TAG_BYTES);
        assert_eq!(opened(&file, length).unwrap(), plain);
        assert!(matches!(opened(&file, length + 1), Err(BackupError::Damaged)));
        assert!(matches!(opened(&file, length - 1), Err(BackupError::Damaged)));
    }
}

#[test]
fn two_backups_of_the_same_have_nothing_in_common() {
    let (one, two) = (sealed(b"Anna"), sealed(b"Anna"));
    assert_eq!(one[..22], two[..22]);
    assert_ne!(one[22..54], two[22..54]);
    assert_ne!(one[HEAD_BYTES..], two[HEAD_BYTES..]);
}

#[test]
fn the_format_stays() {
    let (seal, head) = Seal::fresh(&passphrase(), Cost::LEAST, [0x5a; 32]).unwrap();
    let mut writer = BackupWriter {
        to: head.to_vec(),
        seal,
        plain: Zeroizing::default(),
    };
    writer.write(b"What was written").unwrap();
    insta::assert_snapshot!(to_hex(&writer.finish().unwrap()));
}

#[test]
fn a_wrong_passphrase_a_cut_and_damage_are_told_apart() {
    let plain = example(2 * CHUNK_BYTES + 5);
    let file = sealed(&plain);
    let wrong = BackupReader::begin(file.as_slice(), &Passphrase::new("am Markt"));
    assert!(matches!(
        wrong.map(|_| ()),
        Err(BackupError::Keystore(KeystoreError::WrongPassphrase))
    ));
    for bytes in [b"".as_slice(), b"KIEZPROF and more", b"%PDF"] {
        assert!(
            matches!(opened(bytes, 1), Err(BackupError::NotABackup)),
            "{bytes:?}"
        );
    }
    // Between chunks a cut is told; within one it cannot be told from damage.
    for (cut, whole) in [
        (5, true),
        (HEAD_BYTES, true),
        (HEAD_BYTES + SEALED_BYTES, true),
        (file.len() - 1, false),
    ] {
        let error = opened(&file[..cut], plain.len()).unwrap_err();
        assert_eq!(matches!(error, BackupError::CutOff), whole, "{cut}: {error}");
        assert!(
            matches!(error, BackupError::CutOff | BackupError::Damaged),
            "{cut}"
        );
    }
    for at in [
        12,
        30,
        60,
        100,
        HEAD_BYTES,
        HEAD_BYTES + SEALED_BYTES + 1,
        file.len() - 1,
    ] {
        let mut bytes = file.clone();
        bytes[at] ^= 1;
        assert!(
            matches!(opened(&bytes, plain.len()), Err(BackupError::Damaged)),
            "byte {at}"
        );
    }
    // Chunks in another order, and something behind the end.
    let (head, chunks) = file.split_at(HEAD_BYTES);
    let (one, rest) = chunks.split_at(SEALED_BYTES);
    let (two, three) = rest.split_at(SEALED_BYTES);
    let swapped = [head, two, one, three].concat();
    assert!(matches!(opened(&swapped, plain.len()), Err(BackupError::Damaged)));
    assert!(opened(&[&file, b"x".as_slice()].concat(), plain.len()).is_err());
}

#[test]
fn a_newer_version_is_told_from_damage() {
    let mut file = sealed(b"Anna");
    file[9] = 2;
    assert!(matches!(opened(&file, 4), Err(BackupError::Newer(2))));
    file[9] = 0;
    assert!(matches!(opened(&file, 4), Err(BackupError::Damaged)));
}

#[test]
fn a_hostile_head_with_a_fitting_checksum_cannot_ask_for_much() {
    for at in [10, 14, 18] {
        let mut file = sealed(b"Anna");
        file[at] = 0xff;
        let checksum = blake3::hash(&file[..86]);
        file[86..118].copy_from_slice(checksum.as_bytes());
        assert!(matches!(opened(&file, 4), Err(BackupError::Damaged)));
    }
}
