/* Made from the contracts by `make types`: change those, not this. */

export const TITLE_MAX_CHARACTERS = 200;
export const TAGS_MAX = 32;
export const TAG_MAX_CHARACTERS = 50;
export const PREVIEW_CHARACTERS = 200;
export const TRASH_RETENTION_DAYS = 30;
export const MESSAGE_MAX_CHARACTERS = 32000;
export const CONVERSATION_TITLE_MAX_CHARACTERS = 200;
export const INSTRUCTIONS_MAX_CHARACTERS = 8000;
export const REASON_MAX_CHARACTERS = 2000;
export const SUMMARY_MAX_CHARACTERS = 16000;
export const USERNAME_MIN_CHARACTERS = 3;
export const USERNAME_MAX_CHARACTERS = 64;
export const PASSWORD_MIN_CHARACTERS = 8;
export const PASSWORD_MAX_CHARACTERS = 256;
export const NOT_SIGNED_IN = 4401;
