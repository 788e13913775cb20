/**
 * So many layers one mount of the kernel's overlay can have. Source: Linux v6.6 `fs/overlayfs/params.c`
 * `OVL_MAX_STACK`.
 */
export const kernelMaxLayers = 500;
