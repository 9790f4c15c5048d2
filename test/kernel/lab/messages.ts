/** What host and guest tell each other over the virtio-serial port: one JSON object per line. */
export type ToGuest =
  | {
      readonly kind: 'step';
      readonly id: number;
      readonly module: string;
      readonly step: string;
      readonly args: object;
      /** Time-outs are this much longer (`patience.ts`). */
      readonly slowness: number;
    }
  | { readonly kind: 'recorded'; readonly id: number }
  /** Lets the kernel say which tasks are blocked, on the console. */
  | { readonly kind: 'showBlockedTasks' }
  | { readonly kind: 'powerOff' };

export type ToHost =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'record'; readonly id: number; readonly line: string }
  | { readonly kind: 'said'; readonly text: string };

/** Cuts a stream of bytes into messages; a rest without end of line is kept for the next piece. */
export function messageReader<Message>(receive: (message: Message) => void): (chunk: Buffer) => void {
  let rest = '';
  const decoder = new TextDecoder();
  return (chunk) => {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line !== '') receive(JSON.parse(line) as Message);
  };
}
