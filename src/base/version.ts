/** The version of the package: the bundler puts it in the place of this name. */
declare const TSUP_VISOR_VERSION: string | undefined;

/** `development` where the source runs unbundled, in tests. */
export const VERSION: string = typeof TSUP_VISOR_VERSION === 'string' ? TSUP_VISOR_VERSION : 'development';
