import type { Role } from '$lib/api';
import { m } from '$words';

export const roles: Record<Role, () => string> = { steward: m.role_steward, member: m.role_member, observer: m.role_observer };
