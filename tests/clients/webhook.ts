// A receiver of webhooks: verifies messages as the documentation of standardwebhooks shows it.
// Argument: the secret. Standard input: a list of messages, each with its headers and its body.
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'

type Message = { headers: Record<string, string>; body: string }

const webhook = new Webhook(process.argv[2]!)

function verified({ headers, body }: Message): unknown {
  try {
    return webhook.verify(body, headers)
  } catch (error) {
    return (error as Error).message
  }
}

const messages: Message[] = JSON.parse(await text(process.stdin))
console.log(JSON.stringify(messages.map(verified)))
