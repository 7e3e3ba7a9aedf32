<?php

declare(strict_types=1);

namespace Demo;

/** Makes the part of an address that names a page. */
final class Slug
{
    private array $taken = [];

    public function make(string $title): string
    {
        $plain = strtolower(trim($title));
        $slug = trim(preg_replace('/[^a-z0-9]+/', '-', $plain), '-');
        $number = 1;
        $name = $slug;
        while (isset($this->taken[$name])) {
            $number++;
            $name = "{$slug}-{$number}";
        }
        $this->taken[$name] = true;
        return $name;
    }

    public function forget(string $name): void
    {
        unset($this->taken[$name]);
    }
}
