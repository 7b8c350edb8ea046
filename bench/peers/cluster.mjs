// As many processes as the measured service has, on one port, which they share as Node does it.
import cluster from 'node:cluster'

export async function serve(start) {
  const workers = Number(process.env.WORKERS)
  if (!cluster.isPrimary) return start(Number(process.env.PORT))
  for (let i = 0; i < workers; i++) cluster.fork()
  cluster.on('exit', () => process.exit(1))
}
