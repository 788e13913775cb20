/** What compares two layers of a driver that says nothing of them; runs on workers. */
import { createNaiveJobs } from "#dist/graphdriver/diff/naive-jobs.js";

export const { archiveDifference, sendChanges, sizeOfDifference } = createNaiveJobs();
