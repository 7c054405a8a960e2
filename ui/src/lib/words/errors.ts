import type { KiezError } from '../api';
import { m } from './index';

/** A text for every code of Kiez that says what to do. */
const texts = new Map<string, () => string>(Object.entries({
  'locked': m.error_locked,
  'usage': m.error_usage,
  'empty-passphrase': m.error_empty_passphrase,
  'not-an-invitation': m.error_not_an_invitation,
  'wrong-passphrase': m.error_wrong_passphrase,
  'profile-damaged': m.error_profile_damaged,
  'seed-damaged': m.error_seed_damaged,
  'invitation-damaged': m.error_invitation_damaged,
  'splice': m.error_text_behind,
  'unknown-heads': m.error_text_behind,
  'words': m.error_words,
  'copy': m.error_copy,
  'unreachable': m.error_unreachable,
  'no-profile': m.error_no_profile,
  'profile-exists': m.error_profile_exists,
  'profile': m.error_profile,
  'in-use': m.error_in_use,
  'newer': m.error_newer,
  'disk-full': m.error_disk_full,
  'store': m.error_store,
  'no-group': m.error_no_such_group,
  'no-such-group': m.error_no_such_group,
  'not-found': m.error_not_found,
  'not-admitted': m.error_not_admitted,
  'not-allowed': m.error_not_allowed,
  'does-not-fit': m.error_does_not_fit,
  'poll': m.error_poll,
  'ballot': m.error_ballot,
  'poll-closed': m.error_poll_closed,
  'not-an-elector': m.error_not_an_elector,
  'not-a-counter': m.error_not_a_counter,
  'invitation-expired': m.error_invitation_expired,
  'invitation-used': m.error_invitation_used,
  'already-a-member': m.error_already_a_member,
  'join': m.error_join,
  'stopped': m.error_stopped,
  'network': m.error_network,
  'unfinished': m.error_unfinished,
  'pabulib': m.error_pabulib,
  'file': m.error_file,
  'too-large': m.error_too_large,
  'refused': m.error_refused,
  'prompt': m.error_system,
  'system': m.error_system,
  'handover': m.error_in_use,
  'connection-lost': m.error_connection_lost,
  'no-code-in-image': m.error_no_code_in_image,
}));
export const codes = [...texts.keys()];

export function errorText(error: KiezError): string {
  return (texts.get(error.code) ?? m.error_other)();
}
