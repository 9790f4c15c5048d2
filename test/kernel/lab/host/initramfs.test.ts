import { expect, test } from 'vitest';
import { loadOrder } from './initramfs.js';

test('Modules are loaded after what they depend on, each once', () => {
  const dep =
    'a/9p.ko: a/9pnet.ko a/netfs.ko\na/9pnet_virtio.ko: a/9pnet.ko\na/netfs.ko:\na/9pnet.ko:\na/other.ko:\n';
  expect(loadOrder(dep, ['9pnet_virtio', '9p'])).toEqual([
    'a/netfs.ko',
    'a/9pnet.ko',
    'a/9p.ko',
    'a/9pnet_virtio.ko',
  ]);
});

test('A module that is built into the kernel is not missed', () => {
  expect(loadOrder('a/x.ko:\n', ['x', 'virtio_pci'])).toEqual(['a/x.ko']);
});
