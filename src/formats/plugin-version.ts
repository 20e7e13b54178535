/** Of the interface in plugin-api.ts. By itself, so that no plugin costs nothing. */
export const PLUGIN_API_VERSION = 1;
