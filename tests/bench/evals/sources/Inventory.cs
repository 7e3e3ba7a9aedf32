using System;
using System.Collections.Generic;

namespace Demo
{
    /// <summary>How many of each article are in stock.</summary>
    public sealed class Inventory
    {
        private readonly Dictionary<string, int> counts = new();

        public void Add(string article, int count)
        {
            if (count <= 0)
            {
                throw new ArgumentOutOfRangeException(nameof(count));
            }
            counts.TryGetValue(article, out var before);
            counts[article] = before + count;
        }

        public bool Take(string article, int count)
        {
            if (!counts.TryGetValue(article, out var stock) || stock < count)
            {
                return false;
            }
            counts[article] = stock - count;
            return true;
        }
    }
}
