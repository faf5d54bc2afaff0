namespace Gateway.Headscale;

/// <summary>What is remembered of Headscale for some seconds, and is old after every change.</summary>
internal sealed class HeadscaleCaches(UserDirectory directory, OwnerLookup owners, ProvenKeys proven)
{
    /// <summary>Something may have changed at Headscale.</summary>
    public void Invalidate()
    {
        directory.Invalidate();
        owners.Invalidate();
        proven.Forget();
    }

    /// <summary>Something is about to change at Headscale: no key counts as proven any more.</summary>
    public void ForgetProofs() => proven.Forget();
}
