/** The version of the package: the bundler puts it in the place of this name. */
declare const TSUP_VISOR_VERSION: string | undefined;

declare const TSUP_VISOR_BUILD: string | undefined;

/** `development` where the source runs unbundled, in tests. */
export const VERSION: string = typeof TSUP_VISOR_VERSION === 'string' ? TSUP_VISOR_VERSION : 'development';

/** Tells builds of one version apart: names the sources that it was made of. */
export const BUILD: string = typeof TSUP_VISOR_BUILD === 'string' ? TSUP_VISOR_BUILD : 'development';
