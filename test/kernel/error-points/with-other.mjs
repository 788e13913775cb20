/** Opens what `openOther` opens, beside what is open, for as long as `work` runs. */
export async function withOther({ openOther }, work) {
  const other = await openOther();
  try {
    return await work(other);
  } finally {
    await other.close();
  }
}
