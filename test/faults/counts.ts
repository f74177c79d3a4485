/**
 * How often a fault test tries: `LORAFA_FAULTS_NAME` of the environment, or what the test says.
 *
 * @param name e.g. `KILLS`
 */
export function faultCount(name: string, otherwise: number): number {
  return Number(process.env[`LORAFA_FAULTS_${name}`] ?? otherwise);
}

/** What decides the random choices of a fault test: `LORAFA_FAULTS_SEED`, or the time. */
export function faultSeed(): number {
  return faultCount('SEED', Math.floor(Date.now() / 1000));
}
