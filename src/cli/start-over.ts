/** On a terminal: to the first column, and the line is empty. */
export const START_OVER = '\r\u001b[K';
