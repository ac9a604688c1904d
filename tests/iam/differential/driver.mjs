// Evaluates JSON lines of requests from stdin with @cloud-copilot/iam-simulate and answers one verdict a line.
import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await runSimulation(JSON.parse(line), { simulationMode: 'Strict' })
  const verdict =
    answer.resultType === 'single'
      ? { verdict: answer.overallResult, ignored: answer.result.ignoredContextKeys ?? [] }
      : { error: answer.errors ?? answer.resultType }
  process.stdout.write(JSON.stringify(verdict) + '\n')
}
