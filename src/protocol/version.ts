/** Borne by every reply. Raised when an old client could misread a new daemon. */
export const PROTOCOL_VERSION = 1;
